// A client that sends a request and goes away before the answer. Over plain HTTP it resets its connection: a mere FIN says
// only that nothing more is sent, and such a client may still be reading. Over TLS the edge takes the end of the session.
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'

/** Resolves with whether the client left before it had an answer. */
export async function sendAndLeave(
  url: URL,
  headers: Readonly<Record<string, string>>,
  afterMs: number,
): Promise<boolean> {
  const send = url.protocol === 'https:' ? secureRequest : plainRequest
  const request = send(url, { headers, agent: false })
  let isAnswered = false
  request.on('response', (response) => {
    isAnswered = true
    response.resume()
  })
  // Leaving is an error of the connection, and the purpose.
  request.on('error', () => undefined)
  request.end()
  await delay(afterMs)
  const { socket } = request
  if (socket === null || socket instanceof TLSSocket) request.destroy()
  else socket.resetAndDestroy()
  return !isAnswered
}
