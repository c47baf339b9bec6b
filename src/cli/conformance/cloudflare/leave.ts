// A client that sends a request and disconnects before the response. Over plain HTTP it resets its connection, because
// a FIN only means that nothing more is sent. Over TLS, ending the session is enough for the edge.
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'

/** Resolves with whether the client disconnected before it had a response. */
export async function sendAndLeave(
  url: URL,
  headers: Readonly<Record<string, string>>,
  afterMs: number,
): Promise<boolean> {
  const send = url.protocol === 'https:' ? secureRequest : plainRequest
  const request = send(url, { headers, agent: false })
  let hasResponded = false
  request.on('response', (response) => {
    hasResponded = true
    response.resume()
  })
  // The disconnect is an error of the connection, and intended.
  request.on('error', () => undefined)
  request.end()
  await delay(afterMs)
  const { socket } = request
  if (socket === null || socket instanceof TLSSocket) request.destroy()
  else socket.resetAndDestroy()
  return !hasResponded
}
