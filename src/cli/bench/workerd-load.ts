// Sends plain HTTP requests over a few persistent connections, so that the measurement shows the Worker and not the
// opening of connections.
import { Agent, request } from 'node:http'

export interface Visit {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Connections {
  /** Resolves with the status once the whole response has arrived. */
  send(port: number, visit: Visit): Promise<number>
  close(): void
}

/** Opens at most `most` connections to each port. */
export function openConnections(most: number): Connections {
  const agent = new Agent({ keepAlive: true, maxSockets: most })
  return {
    send: (port, { path, headers }) =>
      new Promise((resolve, reject) => {
        const asked = request({ agent, host: '127.0.0.1', port, path, headers }, (answer) => {
          answer.once('error', reject)
          answer.once('end', () => resolve(answer.statusCode ?? 0))
          answer.resume()
        })
        asked.once('error', reject)
        asked.end()
      }),
    close: () => agent.destroy(),
  }
}

/** Processes all items, `lanes` at a time. */
export async function inLanes<Item>(
  lanes: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
