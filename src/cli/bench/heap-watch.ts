// How much memory an isolate uses, asked of its inspector over and over. Looks only: it neither profiles nor collects.
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
  /** JavaScript's heap with the garbage in it, the runtime's own objects and the buffers; bytes. */
  peakBytes(): number
  /** How often it was asked. */
  samples(): number
  stop(): void
}

/** Watches until `stop`. Rejects when there is no inspector at `url`. */
export async function watchHeap(url: string): Promise<HeapWatch> {
  const socket = new WebSocket(url)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  // A Worker that ends takes the socket along; what was seen until then counts.
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
