// A proxy before the API whose connections break when a play says so.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to a request, by its number since the last `use`: `cut` before it is sent on, or once it was answered. */
export type Break = (number: number) => 'pass' | 'cut' | 'cut the response' | (() => void)

export interface BreakingProxy {
  readonly url: string
  /** How many responses it has passed since the last `use`. */
  readonly passed: number
  use(next: Break): void
  stop(): Promise<void>
}

/** Headers that belong to one connection, or to a body as it was compressed. */
const ownHeaders = new Set(['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding'])

export async function startBreakingProxy(api: string): Promise<BreakingProxy> {
  let current: Break = () => 'pass'
  let [number, passed] = [0, 0]
  const server = createServer((request, response) => {
    number += 1
    const broken = current(number)
    if (broken === 'cut') return void response.destroy()
    const { host: _host, connection: _connection, ...headers } = request.headers
    const send = async (): Promise<void> => {
      const answer = await fetch(`${api}${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        redirect: 'manual',
      })
      const body = Buffer.from(await answer.arrayBuffer())
      const kept = [...answer.headers].filter(([name]) => !ownHeaders.has(name))
      response.writeHead(answer.status, { ...Object.fromEntries(kept), 'content-length': body.length })
      if (broken === 'cut the response') {
        response.write(body.subarray(0, body.length / 2), () => response.destroy())
        return
      }
      response.end(body, () => {
        passed += 1
        if (typeof broken === 'function') broken()
      })
    }
    send().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    get passed() {
      return passed
    },
    use(next) {
      current = next
      ;[number, passed] = [0, 0]
    },
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}
