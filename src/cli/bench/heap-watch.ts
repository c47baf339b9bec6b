// Measures how much memory an isolate uses, by polling its inspector. Does not profile or collect garbage.
import { WebSocket } from 'ws'
import * as z from 'zod'

const everyMs = 25

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

/** Polls until `stop`. Rejects if there is no inspector at `url`. */
export async function watchHeap(url: string): Promise<HeapWatch> {
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
    peak = Math.max(peak, usedSize + embedderHeapUsedSize + backingStorageSize)
    seen += 1
  })
  const timer = setInterval(
    () => socket.send(JSON.stringify({ id: (id += 1), method: 'Runtime.getHeapUsage' })),
    everyMs,
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
