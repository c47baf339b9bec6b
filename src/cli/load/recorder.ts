// Passes requests on to the Neon endpoint and records them, so that the statements of a read can be sent without a Worker.
import { listen, type Listener, type Received } from './listener.ts'

export interface Recorder {
  /** What to use instead of the endpoint's URL. */
  readonly url: string
  /** The requests that `work` causes. */
  during(work: () => Promise<void>): Promise<readonly Received[]>
  stop(): Promise<void>
}

/** Headers of one connection, which the next one sets again. */
const ofConnection = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding'])

export const withoutConnection = (headers: Received['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.has(name)))

export async function startRecorder(endpoint: string): Promise<Recorder> {
  const recordings = new Set<Received[]>()
  const listener: Listener = await listen(async (received) => {
    for (const recording of recordings) recording.push(received)
    const { method, headers, body } = received
    const response = await fetch(endpoint, {
      method,
      headers: withoutConnection(headers),
      body: new Uint8Array(body),
    })
    const type = response.headers.get('content-type')
    return {
      status: response.status,
      headers: type === null ? {} : { 'content-type': type },
      body: Buffer.from(await response.arrayBuffer()),
    }
  })
  return {
    url: `${listener.origin}${new URL(endpoint).pathname}`,
    async during(work) {
      const recording: Received[] = []
      recordings.add(recording)
      try {
        await work()
        return recording
      } finally {
        recordings.delete(recording)
      }
    },
    stop: () => listener.stop(),
  }
}
