// PostgreSQL behind TLS, as a provider serves it: agrees to the client's request for TLS and passes the bytes on to a server
// without it.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Certificate } from './certificate.ts'

/** The first eight bytes of a client that asks for TLS (SSLRequest). */
const requestLength = 8

export interface TlsProxy {
  /** The same URL, through this proxy. */
  through(url: string, parameters: string): string
  stop(): Promise<void>
}

export async function startTlsProxy({ key, cert }: Certificate): Promise<TlsProxy> {
  const open = new Set<Socket>()
  let target: { host: string; port: number } | null = null
  const server: Server = createServer((client) => {
    open.add(client)
    client.on('error', () => client.destroy())
    client.once('data', (first: Buffer) => {
      if (first.length !== requestLength || target === null) return void client.destroy()
      client.write('S')
      const secure = new TLSSocket(client, { isServer: true, key, cert })
      const upstream = connect(target)
      open.add(upstream)
      upstream.on('error', () => secure.destroy())
      secure.on('error', () => upstream.destroy())
      secure.pipe(upstream).pipe(secure)
      return undefined
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    through(url, parameters) {
      const changed = new URL(url)
      target = { host: changed.hostname, port: Number(changed.port) }
      changed.hostname = '127.0.0.1'
      changed.port = String(port)
      changed.search = parameters
      return changed.href
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
