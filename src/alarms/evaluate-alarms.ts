// Evaluates the alarm rules and delivers what changed. The new state and its notifications are stored together before
// anything is sent, so a run that dies in between loses nothing: the next one sends the same notification, under the
// same id.
import type { Ctx, Services } from '../context.ts'
import type { Book } from '../monitoring/alarms/book.ts'
import { type Channels, deliverDue } from '../monitoring/alarms/deliver.ts'
import { measureBook } from '../monitoring/alarms/own-metrics.ts'
import { type Measurements, createReadings } from '../monitoring/alarms/readings.ts'
import { rules } from '../monitoring/alarms/rules.ts'
import { stepBook } from '../monitoring/alarms/step.ts'
import { bounds } from '../monitoring/metrics/catalog.ts'
import { openChannels } from './channels.ts'
import { readBook } from './read-book.ts'
import { reportInterruption } from './report-interruption.ts'

type Store = NonNullable<Services['metricsStore']>

const minuteMs = 60_000
/** A deployment restarts the store's object, which takes a moment. */
const attempts = 3
const pauseMs = 3000

/** The names of metrics by the minutes of them that rules need: a busy metric is read for a short time only. */
const namesByMinutes = (): Map<number, string[]> => {
  const minutes = new Map<string, number>()
  for (const { reads, windowMinutes } of rules)
    for (const name of reads) minutes.set(name, Math.max(minutes.get(name) ?? 0, windowMinutes))
  return Map.groupBy(minutes.keys(), (name) => minutes.get(name) ?? 0)
}

async function measure(store: Store, nowMs: number): Promise<Measurements> {
  const groups = [...namesByMinutes()]
  const [totals, ...series] = await Promise.all([
    store.totals({ names: groups.flatMap(([, names]) => names) }),
    ...groups.map(([minutes, names]) => store.read({ sinceMs: nowMs - (minutes + 1) * minuteMs, names })),
  ])
  return { totals, series: series.flat() }
}

/** Null if another run was faster. */
async function advance(store: Store, ctx: Ctx, nowMs: number): Promise<Book | null> {
  const [book, { totals, series }] = await Promise.all([readBook(store, ctx, nowMs), measure(store, nowMs)])
  const all = [...series, ...measureBook(book, nowMs)]
  const after = stepBook(rules, book, createReadings({ totals, series: all }, nowMs, bounds))
  return (await store.saveAlarms(book.version, after)) ? after : null
}

async function advanceWithRetries(store: Store, ctx: Ctx, nowMs: number): Promise<Book | null> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await advance(store, ctx, nowMs)
    } catch (error) {
      if (attempt === attempts) throw error
      await ctx.services.wait(pauseMs)
    }
}

async function advanceOrReport(store: Store, ctx: Ctx, channels: Channels, nowMs: number): Promise<Book | null> {
  try {
    return await advanceWithRetries(store, ctx, nowMs)
  } catch (error) {
    await reportInterruption(ctx, channels, nowMs, error)
    throw error
  }
}

/**
 * Each minute, also during a freeze.
 * @throws if the rules could not be evaluated, of which the operator was notified, or if it could not be stored what was
 * delivered, which is then sent again
 */
export async function evaluateAlarms(ctx: Ctx): Promise<void> {
  const { metricsStore: store, metrics } = ctx.services
  if (store === null) return
  // What this isolate has measured and not sent yet.
  await metrics.flush()
  const nowMs = ctx.now().getTime()
  const channels = openChannels(ctx, nowMs)
  try {
    const book = await advanceOrReport(store, ctx, channels, nowMs)
    if (book === null || book.outbox.length === 0) return
    const outbox = await deliverDue(book.outbox, channels, nowMs, () => ctx.now().getTime())
    const isSaved = await store.saveAlarms(book.version, { ...book, version: book.version + 1, outbox: [...outbox] })
    if (!isSaved) ctx.log.error('alarms_not_saved')
  } finally {
    await channels.settled()
  }
}
