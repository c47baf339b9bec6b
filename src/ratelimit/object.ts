// The Durable Object that counts requests: one per client address and one per user. Its state is in storage (SQLite),
// so evictions and deploys lose nothing. window.ts decides.
import { DurableObject } from 'cloudflare:workers'
import { type Bucket, countIn, decide, emptyLog, type Log, type Standing } from './window.ts'

/** The most logs in one object. A /48 has 65,536 possible keys, which its owner could all use. */
export const maxLogs = 10_000
/** The shared log of further keys, until old logs are deleted. */
const overflow = '*'
/** Least time between two cleanups, each of which costs a call of the object. */
const leastSweepMs = 60_000
/** The most logs that are also held in memory; only objects of IPv6 networks have more. */
const maxCopies = 16

/** Number of logs. */
const countKey = 'count'
const logPrefix = 'log '

/** A log as it is stored. */
interface Stored {
  readonly stamps: Log
  /** When its last admission expires. */
  readonly idleAt: number
}

interface Held {
  readonly key: string
  readonly log: Log
  readonly isNew: boolean
}

export interface Verdict {
  readonly admitted: boolean
  /** The standings of every limit of every requested bucket, in their order. */
  readonly standings: readonly Standing[]
}

const logKey = (name: string, place: string): string => `${logPrefix}${name} ${place}`

function longestOf(buckets: readonly Bucket[]): number {
  return Math.max(...buckets.flatMap(({ limits }) => limits.map(({ windowMs }) => windowMs)))
}

export class RateLimiter extends DurableObject {
  readonly #storage: DurableObjectStorage
  /** A cache of stored logs. */
  readonly #copies = new Map<string, Log>()
  #hasAlarm = false

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env)
    this.#storage = context.storage
  }

  /** Admits one request in all buckets or in none. A refusal writes nothing. */
  async check(buckets: readonly Bucket[]): Promise<Verdict> {
    const now = Date.now()
    // No await between reading and writing: no other call runs in between, and the platform commits all writes
    // together.
    const held = buckets.map((bucket) => this.#read(bucket))
    const { admitted, standings, changed } = decide(
      buckets,
      held.map(({ log }) => log),
      now,
    )
    if (changed.size > 0) {
      this.#write(buckets, held, changed)
      if (!this.#hasAlarm) await this.#ensureAlarm(now + longestOf(buckets))
    }
    return { admitted, standings }
  }

  /** The number of admissions that count now in each bucket, within its longest window. Counts and writes nothing. */
  look(buckets: readonly Bucket[]): readonly number[] {
    const now = Date.now()
    return buckets.map((bucket) => countIn(this.#read(bucket).log, longestOf([bucket]), now))
  }

  /** Deletes idle logs; the last one deletes the object. May run twice. */
  override async alarm(_info?: AlarmInvocationInfo): Promise<void> {
    this.#hasAlarm = false
    this.#copies.clear()
    const now = Date.now()
    const { idle, left, latest } = this.#survey(now)
    if (left === 0) return await this.#storage.deleteAll()
    for (const key of idle) this.#storage.kv.delete(key)
    this.#storage.kv.put(countKey, left)
    await this.#ensureAlarm(Math.max(latest, now + leastSweepMs))
  }

  #survey(now: number): { readonly idle: readonly string[]; readonly left: number; readonly latest: number } {
    const idle: string[] = []
    let [left, latest] = [0, 0]
    for (const [key, { idleAt }] of this.#storage.kv.list<Stored>({ prefix: logPrefix })) {
      if (idleAt <= now) idle.push(key)
      else left += 1
      latest = Math.max(latest, idleAt)
    }
    return { idle, left, latest }
  }

  #read({ name, place }: Bucket): Held {
    const own = this.#find(logKey(name, place))
    return !own.isNew || this.#count() < maxLogs ? own : this.#find(logKey(name, overflow))
  }

  #find(key: string): Held {
    const log = this.#copies.get(key) ?? this.#storage.kv.get<Stored>(key)?.stamps
    if (log !== undefined) this.#copy(key, log)
    return { key, log: log ?? emptyLog, isNew: log === undefined }
  }

  #copy(key: string, log: Log): void {
    this.#copies.delete(key)
    this.#copies.set(key, log)
    for (const oldest of this.#copies.keys()) {
      if (this.#copies.size <= maxCopies) return
      this.#copies.delete(oldest)
    }
  }

  #write(buckets: readonly Bucket[], held: readonly Held[], changed: ReadonlyMap<number, Log>): void {
    let made = 0
    for (const [index, bucket] of buckets.entries()) {
      const [stamps, place] = [changed.get(index), held[index]]
      if (stamps === undefined || place === undefined) continue
      const idleAt = (stamps.at(-1) ?? 0) + longestOf([bucket])
      this.#storage.kv.put(place.key, { stamps, idleAt } satisfies Stored)
      this.#copy(place.key, stamps)
      if (place.isNew) made += 1
    }
    if (made > 0) this.#storage.kv.put(countKey, this.#count() + made)
  }

  #count(): number {
    return this.#storage.kv.get<number>(countKey) ?? 0
  }

  async #ensureAlarm(time: number): Promise<void> {
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(time)
    this.#hasAlarm = true
  }
}
