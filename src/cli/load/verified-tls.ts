// A port of this machine whose connections continue to the target over TLS. The load generator accepts any certificate;
// this accepts a valid one only, so that tokens reach no other server.
import { createServer, isIP, type Socket } from 'node:net'
import { connect } from 'node:tls'
import type { Target } from './target.ts'

export interface Opened {
  /** Where the generator connects, without TLS. */
  readonly origin: string
  close(): Promise<void>
}

const urlHost = (address: string): string => (address.includes(':') ? `[${address}]` : address)

/** Opens the way to the target: itself without TLS, a local port with it. */
export async function openTarget(target: Target): Promise<Opened> {
  const { isTls, address, port, hostname } = target
  if (!isTls) return { origin: `http://${urlHost(address)}:${port}`, close: () => Promise.resolve() }
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const servername = isIP(hostname) === 0 ? { servername: hostname } : {}
    const far = connect({ host: address, port, ...servername })
    sockets.add(near)
    const end = (): void => {
      near.destroy()
      far.destroy()
      sockets.delete(near)
    }
    for (const socket of [near, far]) socket.once('error', end).once('close', end)
    // Written before the handshake, bytes are sent only after the certificate was verified.
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const listening = server.address()
  if (listening === null || typeof listening === 'string') throw new Error('The port to the target has no number.')
  return {
    origin: `http://127.0.0.1:${listening.port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
