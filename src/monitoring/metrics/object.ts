// The Durable Object with the metrics of a deployment, outside PostgreSQL: an outage of the database must be counted too.
// Two versions of the Worker call one object: methods and their members are only added, and unknown ones are ignored.
import { DurableObject } from 'cloudflare:workers'
import { type Book, versionOf } from '../alarms/book.ts'
import { type Dataset, type ExportPlace, exportSeries, isDataset } from './dataset.ts'
import { createRows, type Rows } from './rows.ts'
import type { Point, Series, Total } from './types.ts'

export interface AddedPoints {
  /** Identifies the call, which may be repeated. */
  readonly id: string
  readonly points: readonly Point[]
}

/** What is in memory only: lost if the object crashes. Readers see only what is stored, so no counter decreases. */
const writeEveryMs = 5000
const cleanEveryMs = 60 * 60_000
/** Calls whose repetition is recognised. A repetition comes within seconds. */
const mostIds = 2000
const mostPoints = 10_000
const alarmsKey = 'alarms'
const exportKey = 'export'

export class Monitor extends DurableObject {
  readonly #storage: DurableObjectStorage
  readonly #rows: Rows
  /** Null where METRICS is not bound. */
  readonly #dataset: Dataset | null
  readonly #ids = new Set<string>()
  #hasAlarm = false
  #cleanedMs = Number.NEGATIVE_INFINITY

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env)
    this.#storage = context.storage
    this.#rows = createRows(context.storage.sql)
    const dataset: unknown = Reflect.get(env, 'METRICS')
    this.#dataset = isDataset(dataset) ? dataset : null
  }

  async add({ id, points }: AddedPoints): Promise<void> {
    if (this.#isRepeated(id)) return
    const nowMs = Date.now()
    for (const point of points.slice(0, mostPoints)) this.#rows.add(point, nowMs)
    await this.#ensureAlarm()
  }

  read({ sinceMs, names }: { readonly sinceMs: number; readonly names?: readonly string[] }): Series[] {
    this.#rows.write(Date.now())
    return this.#rows.read(sinceMs, names ?? null)
  }

  totals({ names }: { readonly names?: readonly string[] } = {}): Total[] {
    this.#rows.write(Date.now())
    return this.#rows.totals(names ?? null)
  }

  /** The book of the alarms as it was saved, by this version or another one; null before the first time. */
  readAlarms(): unknown {
    return this.#storage.kv.get(alarmsKey) ?? null
  }

  /** Replaces the book of that version. False if there is another one: its run was faster. */
  saveAlarms({ version, book }: { readonly version: number; readonly book: Book }): boolean {
    if (versionOf(this.#storage.kv.get(alarmsKey)) !== version) return false
    this.#storage.kv.put(alarmsKey, book)
    return true
  }

  override async alarm(): Promise<void> {
    this.#hasAlarm = false
    const nowMs = Date.now()
    this.#rows.write(nowMs)
    this.#export(nowMs)
    if (nowMs - this.#cleanedMs < cleanEveryMs) return
    this.#cleanedMs = nowMs
    this.#rows.clean(nowMs)
    await Promise.resolve()
  }

  #export(nowMs: number): void {
    if (this.#dataset === null) return
    const from = this.#storage.kv.get<ExportPlace>(exportKey) ?? null
    const next = exportSeries(this.#dataset, (minuteMs) => this.#rows.readMinute(minuteMs), from, nowMs)
    if (from?.minuteMs !== next.minuteMs || from.written !== next.written) this.#storage.kv.put(exportKey, next)
  }

  #isRepeated(id: string): boolean {
    if (this.#ids.has(id)) return true
    this.#ids.add(id)
    for (const oldest of this.#ids) {
      if (this.#ids.size <= mostIds) break
      this.#ids.delete(oldest)
    }
    return false
  }

  async #ensureAlarm(): Promise<void> {
    if (this.#hasAlarm) return
    this.#hasAlarm = true
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + writeEveryMs)
  }
}
