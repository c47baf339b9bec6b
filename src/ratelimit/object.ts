// The Durable Object that counts: one for each client address and one for each user. All that it knows is in its SQLite,
// so that eviction, hibernation and deploys forget nothing. Decides nothing by itself: window.ts does.
import { DurableObject } from 'cloudflare:workers'
import { type Bucket, decide, emptyLog, type Log, type Standing } from './window.ts'

/** The most logs in one object; a /48 has 65,536 places, and who owns them all could fill them all. */
export const maxLogs = 10_000
/** The place of those that come when there are so many. They share one log a bucket, until old ones were deleted. */
const overflow = '*'
/** Deleting costs a call of the object, so it is not done more often. */
const leastSweepMs = 60_000

export interface Verdict {
  readonly admitted: boolean
  /** Every limit of every bucket that was asked for, in their order. */
  readonly standings: readonly Standing[]
}

export class RateLimiter extends DurableObject {
  readonly #storage: DurableObjectStorage
  readonly #sql: SqlStorage
  /** A table is made at the first write: an object that never admitted anything leaves nothing. */
  #hasTable: boolean
  #logs: number
  #hasAlarm = false

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env)
    this.#storage = context.storage
    this.#sql = context.storage.sql
    this.#hasTable = this.#sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'logs'").toArray().length > 0
    this.#logs = this.#hasTable ? this.#count() : 0
    void context.blockConcurrencyWhile(async () => {
      this.#hasAlarm = (await this.#storage.getAlarm()) !== null
    })
  }

  /** Admits one request in all buckets or in none. A refusal writes nothing. */
  async check(buckets: readonly Bucket[]): Promise<Verdict> {
    const now = Date.now()
    // Nothing is awaited between reading and writing: no other call comes in between.
    const held = buckets.map((bucket) => this.#read(bucket))
    const { admitted, standings, changed } = decide(
      buckets,
      held.map(({ log }) => log),
      now,
    )
    if (changed.size > 0) {
      this.#write(buckets, held, changed)
      if (!this.#hasAlarm) await this.#wakeAt(now + this.#longestOf(buckets))
    }
    return { admitted, standings }
  }

  /** Deletes what is idle; the last one deletes the object. May come twice. */
  override async alarm(_info?: AlarmInvocationInfo): Promise<void> {
    this.#hasAlarm = false
    const now = Date.now()
    if (this.#hasTable) {
      this.#sql.exec('DELETE FROM logs WHERE idle_at <= ?', now)
      this.#logs = this.#count()
    }
    if (this.#logs > 0) {
      const { latest } = this.#sql.exec<{ latest: number }>('SELECT max(idle_at) AS latest FROM logs').one()
      await this.#wakeAt(Math.max(latest, now + leastSweepMs))
      return
    }
    this.#hasTable = false
    await this.#storage.deleteAll()
  }

  #read({ name, place }: Bucket): { readonly place: string; readonly log: Log; readonly isNew: boolean } {
    const found = this.#find(name, place)
    if (found !== null) return { place, log: found, isNew: false }
    if (this.#logs < maxLogs) return { place, log: emptyLog, isNew: true }
    const shared = this.#find(name, overflow)
    return { place: overflow, log: shared ?? emptyLog, isNew: shared === null }
  }

  #find(name: string, place: string): Log | null {
    if (!this.#hasTable) return null
    const query = 'SELECT stamps FROM logs WHERE name = ? AND place = ?'
    const [row] = this.#sql.exec<{ stamps: ArrayBuffer }>(query, name, place).toArray()
    return row === undefined ? null : new Float64Array(row.stamps)
  }

  #write(
    buckets: readonly Bucket[],
    held: readonly { readonly place: string; readonly isNew: boolean }[],
    changed: ReadonlyMap<number, Log>,
  ): void {
    this.#storage.transactionSync(() => {
      if (!this.#hasTable)
        this.#sql.exec(`CREATE TABLE logs (name TEXT, place TEXT, stamps BLOB NOT NULL, idle_at INTEGER NOT NULL,
          PRIMARY KEY (name, place)) STRICT, WITHOUT ROWID`)
      for (const [index, bucket] of buckets.entries()) {
        const [log, place] = [changed.get(index), held[index]?.place]
        if (log === undefined || place === undefined) continue
        const idleAt = (log.at(-1) ?? 0) + this.#longestOf([bucket])
        this.#sql.exec('INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?)', bucket.name, place, log.buffer, idleAt)
      }
    })
    this.#hasTable = true
    this.#logs += held.filter(({ isNew }, index) => isNew && changed.has(index)).length
  }

  #count(): number {
    return this.#sql.exec<{ count: number }>('SELECT count(*) AS count FROM logs').one().count
  }

  #longestOf(buckets: readonly Bucket[]): number {
    return Math.max(...buckets.flatMap(({ limits }) => limits.map(({ windowMs }) => windowMs)))
  }

  async #wakeAt(time: number): Promise<void> {
    await this.#storage.setAlarm(time)
    this.#hasAlarm = true
  }
}
