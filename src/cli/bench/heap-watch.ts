// Measures how much memory an isolate uses, by polling its inspector. Does not profile. Collects garbage only for `live`.
import { WebSocket } from 'ws'
import * as z from 'zod'

const everyMs = 25
/** A collection stops the isolate for some milliseconds. */
const liveEveryMs = 200

const answerSchema = z.object({
  result: z.object({
    usedSize: z.number(),
    embedderHeapUsedSize: z.number().default(0),
    backingStorageSize: z.number().default(0),
  }),
})

export interface HeapWatch {
  /** Bytes of JavaScript's heap with its garbage, the runtime's objects and the buffers. */
  peakBytes(): number
  /** How many times it was measured. */
  samples(): number
  stop(): void
}

/**
 * Polls until `stop`. Rejects if there is no inspector at `url`.
 * @param live collects garbage before each measurement: what is in use, however long the isolate runs
 */
export async function watchHeap(url: string, live = false): Promise<HeapWatch> {
  const socket = new WebSocket(url)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  // A Worker that ends closes the socket; the samples until then count.
  socket.on('error', () => undefined)
  let [peak, seen, id] = [0, 0, 0]
  socket.on('message', (message: Buffer) => {
    const answer = answerSchema.safeParse(JSON.parse(message.toString('utf8')))
    if (!answer.success) return
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = answer.data.result
    seen += 1
    // The first measurement may precede the first collection.
    if (live && seen === 1) return
    peak = Math.max(peak, usedSize + embedderHeapUsedSize + backingStorageSize)
  })
  const send = (method: string): void => socket.send(JSON.stringify({ id: (id += 1), method }))
  const timer = setInterval(
    () => {
      if (live) send('HeapProfiler.collectGarbage')
      send('Runtime.getHeapUsage')
    },
    live ? liveEveryMs : everyMs,
  )
  return {
    peakBytes: () => peak,
    samples: () => seen,
    stop() {
      clearInterval(timer)
      socket.terminate()
    },
  }
}
