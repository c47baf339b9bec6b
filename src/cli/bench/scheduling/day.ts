// Simulates a day of many items, minute by minute: the real sweep and the real marking of stale products on a real
// database with a simulated clock, webhooks and clicks with their busy hours, an outage of Plaid for an hour, and the
// real rate limiter. A run's work is not executed; its results are written in bulk.
import type { SyncTrigger } from '../../../messages/message.ts'
import { createLogger } from '../../../monitoring/logger.ts'
import { endOfFailure } from '../../../sync/failure.ts'
import type { PlaidLimitChoices } from '../../../plaid/rate-limit/limits.ts'
import { syncProducts } from '../../../sync/products.ts'
import { markStaleProducts, sweep, type SweepCtx } from '../../../sync/sweep.ts'
import { type Done, idOf, itemOf, productOf, type Put, type SimulatedDatabase } from './database.ts'
import type { createSimulatedPlaid, Ran } from './plaid.ts'
import { createSimulatedQueue, type SimulatedMessage } from './queue.ts'
import type { Traffic } from './traffic.ts'

const minuteMs = 60_000
/** As in src/queue/consumer.ts (the sweep handles what is due later) and as wrangler.toml's max_retries. */
const longestRetrySeconds = 900
const mostRetries = 5

const isAwaited = (reason: SyncTrigger): boolean => reason !== 'sweep' && reason !== 'raised'

export interface DayReport {
  /** Seconds from a webhook or a click to the end of the run that it started. */
  readonly webhookSeconds: readonly number[]
  readonly clickSeconds: readonly number[]
  /** Only those outside the trouble and the two hours after it. */
  readonly quietClickSeconds: readonly number[]
  readonly quietWebhookSeconds: readonly number[]
  /** From a lost webhook to the end of the run that it would have started. */
  readonly missedSeconds: readonly number[]
  readonly runs: number
  readonly deferred: number
  readonly mostQueued: number
  /** The most messages that waited for a consumer at the same time. */
  readonly longestLine: number
  /** Rows whose webhook or click was not processed by the end of the day. */
  readonly left: number
}

export interface Day {
  readonly startMs: number
  readonly database: SimulatedDatabase
  readonly plaid: ReturnType<typeof createSimulatedPlaid>
  readonly traffic: Traffic
  readonly random: () => number
  readonly hours: number
  readonly limits: PlaidLimitChoices
  readonly messagesPerSecond: number
  /** Invocations of the queue's consumer at the same time. */
  readonly consumers: number
}

/** What a row is waiting for: since when, and for whom. */
interface Awaited {
  readonly sinceMs: number
  readonly by: 'webhook' | 'click' | 'missed'
}

export async function simulateDay(day: Day, say: (line: string) => void, signal: AbortSignal): Promise<DayReport> {
  const { startMs, database, plaid, traffic, random, hours, limits, messagesPerSecond, consumers } = day
  const queue = createSimulatedQueue(consumers)
  const seconds = { webhook: [] as number[], click: [] as number[], missed: [] as number[] }
  const quiet = { webhook: [] as number[], click: [] as number[], missed: [] as number[] }
  const counts = { runs: 0, deferred: 0, mostQueued: 0, longestLine: 0 }
  const awaited = new Map<string, Awaited>()
  /** Lost webhooks by item. The item's state at Plaid will reveal them. */
  const missed = new Map<number, number>()
  let nowMs = startMs

  const enqueue: SweepCtx['services']['enqueue'] = (ids, reason, delaySeconds = 0) => {
    for (const id of ids) queue.send({ id, reason, retries: 0 }, nowMs + delaySeconds * 1000 + 500)
    return Promise.resolve([])
  }
  const log = createLogger({}, { minimumLevel: 'error' })
  const ctx: SweepCtx = {
    services: { jobs: database.jobs, enqueue, config: { sweep: { messagesPerSecond }, plaid: { limits } } },
    now: () => new Date(nowMs),
    log,
  }

  /** The events of this minute: marked dirty in the database at its start, enqueued at their time. */
  const arrive = async (): Promise<void> => {
    const { webhooks, lost, clicks } = traffic.ofMinute(nowMs)
    for (const item of lost) if (!missed.has(item)) missed.set(item, nowMs)
    const dirty: string[] = []
    const come = (id: string, by: Awaited['by'], reason: SyncTrigger): void => {
      const sinceMs = nowMs + random() * minuteMs
      if (!awaited.has(id)) awaited.set(id, { sinceMs, by })
      dirty.push(id)
      queue.send({ id, reason, retries: 0 }, sinceMs + 500)
    }
    for (const item of webhooks) come(idOf(item, 'transactions'), 'webhook', 'webhook')
    for (const item of clicks) for (const product of syncProducts) come(idOf(item, product), 'click', 'user')
    await database.markDirty(dirty)
  }

  const settle = (id: string, startedMs: number, tookMs: number): boolean => {
    const waiting = awaited.get(id)
    if (waiting === undefined) return false
    if (waiting.sinceMs > startedMs) return true
    awaited.delete(id)
    const passed = (startedMs + tookMs - waiting.sinceMs) / 1000
    seconds[waiting.by].push(passed)
    if (traffic.isQuiet(waiting.sinceMs)) quiet[waiting.by].push(passed)
    return false
  }

  /** What a run without success does to its row and its message, as src/sync/failure.ts and the consumer decide. */
  const putOff = (
    message: SimulatedMessage,
    ran: Exclude<Ran, { kind: 'done' }>,
    endMs: number,
    attempts: number,
  ): Put => {
    const { id, reason, retries } = message
    if (ran.kind === 'deferred') {
      counts.deferred += 1
      const afterMs = Math.ceil(ran.afterSeconds * (1 + random())) * 1000
      if (isAwaited(reason)) queue.send({ id, reason, retries: 0 }, endMs + afterMs)
      return { id, next: endMs + afterMs }
    }
    const failure = { errorType: '', errorCode: '', status: 0, requestId: null }
    const retryAfterSeconds = ran.retryAfterSeconds
    const end = endOfFailure(
      { ...failure, class: ran.failure, retryAfterSeconds },
      { attempts, refusals: 0, wasRead: true },
      random(),
    )
    const next = endMs + end.retrySeconds * 1000
    if (reason !== 'sweep' && end.retrySeconds <= longestRetrySeconds && retries < mostRetries)
      queue.send({ id, reason, retries: retries + 1 }, next)
    return { id, next }
  }

  const work = async (): Promise<void> => {
    const untilMs = nowMs + minuteMs
    const attempts = await database.findDirty([...new Set(queue.before(untilMs).map(({ id }) => id))])
    const done = new Map<string, Done>()
    const put = new Map<string, Put>()
    const raised: { readonly id: string; readonly atMs: number }[] = []
    queue.consume(untilMs, (message, fromMs) => {
      const { id, reason } = message
      const failures = attempts.get(id)
      // The product is clean, or another consumer has just read it.
      if (failures === undefined || (done.has(id) && !done.get(id)?.isDirtyAgain)) return 20
      const product = productOf(id)
      counts.runs += 1
      const ran = plaid.run(product, String(itemOf(id)), isAwaited(reason) ? 'interactive' : 'background', fromMs)
      if (ran.kind !== 'done') {
        put.set(id, putOff(message, ran, fromMs + ran.tookMs, failures))
        return ran.tookMs
      }
      done.set(id, { id, at: fromMs, isDirtyAgain: settle(id, fromMs, ran.tookMs) })
      put.delete(id)
      const missedMs = product === 'item' ? missed.get(itemOf(id)) : undefined
      if (missedMs !== undefined) {
        missed.delete(itemOf(id))
        const transactions = idOf(itemOf(id), 'transactions')
        if (!awaited.has(transactions)) awaited.set(transactions, { sinceMs: missedMs, by: 'missed' })
        raised.push({ id: transactions, atMs: fromMs + ran.tookMs })
      }
      return ran.tookMs
    })
    await database.finish([...done.values()], [...put.values()])
    await database.markDirty(raised.map(({ id }) => id))
    for (const { id, atMs } of raised) queue.send({ id, reason: 'raised', retries: 0 }, atMs)
    counts.longestLine = Math.max(counts.longestLine, queue.backlog(untilMs))
  }

  for (let minute = 0; minute < hours * 60; minute += 1) {
    signal.throwIfAborted()
    nowMs = startMs + minute * minuteMs
    await database.setTime(nowMs)
    if (minute % 180 === 90) plaid.evict(nowMs)
    if (minute % 60 === 0) await markStaleProducts(ctx)
    if (minute % 5 === 0) counts.mostQueued = Math.max(counts.mostQueued, (await sweep(ctx)).queued)
    await arrive()
    await work()
    if (minute % 60 === 59)
      say(
        `hour ${(minute + 1) / 60} of ${hours}: ${counts.runs} runs, ${counts.deferred} deferred, ` +
          `${queue.backlog(nowMs + minuteMs)} messages in line`,
      )
  }
  return {
    ...counts,
    webhookSeconds: seconds.webhook,
    clickSeconds: seconds.click,
    missedSeconds: seconds.missed,
    quietClickSeconds: quiet.click,
    quietWebhookSeconds: quiet.webhook,
    left: awaited.size,
  }
}
