// Simulates the queue and its consumers as Cloudflare runs them: messages become available in order of time; a limited
// number of invocations runs concurrently, and messages wait for a free one.
import type { SyncTrigger } from '../../../messages/message.ts'

export interface SimulatedMessage {
  readonly id: string
  readonly reason: SyncTrigger
  /** Earlier deliveries. */
  readonly retries: number
}

/** When a message is started and how long it takes, in ms. */
type Work = (message: SimulatedMessage, startMs: number) => number

export interface SimulatedQueue {
  send(message: SimulatedMessage, atMs: number): void
  /** Messages that are available before a time. */
  before(ms: number): SimulatedMessage[]
  /** Delivers what is available before a time, as long as a consumer is free before it. */
  consume(untilMs: number, work: Work): void
  /** How many available messages wait for a consumer. */
  backlog(nowMs: number): number
}

export function createSimulatedQueue(consumers: number): SimulatedQueue {
  const bySecond = new Map<number, SimulatedMessage[]>()
  let line: { readonly message: SimulatedMessage; readonly atMs: number }[] = []
  const freeAt = new Float64Array(consumers)
  let drawnSecond: number | null = null

  /** Moves the messages that are available before a time to the line, in order of time. */
  const draw = (untilMs: number): void => {
    const until = Math.floor(untilMs / 1000)
    const seconds = [...bySecond.keys()].filter((second) => second < until).sort((one, other) => one - other)
    for (const second of seconds) {
      line.push(...(bySecond.get(second) ?? []).map((message) => ({ message, atMs: second * 1000 })))
      bySecond.delete(second)
    }
    drawnSecond = until
  }

  const earliest = (): number => {
    let free = 0
    for (let consumer = 1; consumer < consumers; consumer += 1)
      if ((freeAt[consumer] ?? 0) < (freeAt[free] ?? 0)) free = consumer
    return free
  }

  return {
    send(message, atMs) {
      // Never before the event of the message: a run that started earlier would miss it.
      const second = Math.max(Math.ceil(atMs / 1000), drawnSecond ?? 0)
      const place = bySecond.get(second)
      if (place === undefined) bySecond.set(second, [message])
      else place.push(message)
    },
    before(ms) {
      draw(ms)
      return line.map(({ message }) => message)
    },
    consume(untilMs, work) {
      let done = 0
      for (const { message, atMs } of line) {
        const consumer = earliest()
        const startMs = Math.max(atMs, freeAt[consumer] ?? 0)
        if (startMs >= untilMs) break
        freeAt[consumer] = startMs + work(message, startMs)
        done += 1
      }
      line = line.slice(done)
    },
    backlog: (nowMs) => line.filter(({ atMs }) => atMs < nowMs).length,
  }
}
