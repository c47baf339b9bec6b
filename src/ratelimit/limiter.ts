// The isolate's side of the rate limits: one object decides per call. Refusals are remembered until they end, so that a
// client over its limit costs nothing more. Waits a bounded time for an object.
import { withTimeout } from '../timeout.ts'
import { createAlarm } from '../monitoring/alarm.ts'
import { createLocalLimit } from './local.ts'
import { createPolicies, type Policies, type PolicyName, type Target } from './policies.ts'
import type { Bucket, Limit, Standing } from './window.ts'

/** The part of the Durable Objects' namespace that is used. */
export interface LimiterObjects {
  getByName(name: string): {
    check(buckets: readonly Bucket[]): Promise<{ readonly admitted: boolean; readonly standings: readonly Standing[] }>
    look(buckets: readonly Bucket[]): Promise<readonly number[]>
  }
}

export interface LimiterOptions {
  readonly objects: LimiterObjects
  /** Quotas that replace the defaults. */
  readonly quotas?: Readonly<Partial<Record<PolicyName, number>>>
  readonly now?: () => number
  /** The longest wait for an object, which may be on another continent and have to start. */
  readonly timeoutMs?: number
  /** The most refusals that are remembered at once. */
  readonly maxRemembered?: number
}

/** A limit and its state. */
export interface LimitStanding extends Limit, Standing {}

/** The result of a check. `limits` are all limits that the request counts against. */
export type Outcome = { readonly limits: readonly Limit[] } & (
  | { readonly kind: 'admitted'; readonly standings: readonly LimitStanding[] }
  /** `standings` are those that refused, one at least. */
  | { readonly kind: 'refused'; readonly standings: readonly LimitStanding[] }
  /** The object failed or was too slow; it may have counted the request. */
  | { readonly kind: 'failed'; readonly error: unknown }
)

export interface Limiter {
  readonly policies: Policies
  /** Whether a remembered refusal applies to the target. Calls no object and counts nothing. */
  isRefused(target: Target): boolean
  /** The remembered refusal of the target, or null. Calls no object and counts nothing. */
  recall(target: Target): Outcome | null
  /** The admissions of each bucket in its window. Counts nothing. Rejects if the object does not respond. */
  countsOf(target: Target): Promise<readonly number[]>
  /** Whether the target has any admission in its window. As `countsOf`. */
  hasCounted(target: Target): Promise<boolean>
  /**
   * Whether a request may continue although it could not be counted: a fixed number per second in this isolate, for all
   * clients together.
   */
  mayGoOnUncounted(): boolean
  /** How many requests could not be counted since the last alarm if one is due; else null. */
  readonly failureAlarm: () => number | null
  /** Counts one request. Never rejects. */
  check(target: Target): Promise<Outcome>
  /**
   * Counts one request against several targets at the same time. Never rejects. If one refuses, the others have counted
   * it. If a refusal is remembered, returns only the refusing targets and counts nothing.
   */
  checkAll(targets: readonly Target[]): Promise<readonly Outcome[]>
}

/** The ends of refusals, in milliseconds since 1970. A refusal writes nothing, so it cannot end early. */
function createMemory(most: number) {
  const ends = new Map<string, number>()
  return {
    find: (key: string, now: number): number | null => {
      const endsAt = ends.get(key)
      return endsAt === undefined || endsAt <= now ? null : endsAt
    },
    add: (key: string, endsAt: number): void => {
      ends.delete(key)
      ends.set(key, endsAt)
      // Drops the oldest, which are among the first to end.
      for (const oldest of ends.keys()) {
        if (ends.size <= most) return
        ends.delete(oldest)
      }
    },
  }
}

/** All limits of a target, in the order of the object's response, with their keys in the memory. */
function limitsOf({ object, buckets }: Target): { readonly limit: Limit; readonly key: string }[] {
  return buckets.flatMap(({ name, place, limits }) =>
    limits.map((limit) => ({ limit, key: [object, name, place, limit.policy].join(' ') })),
  )
}

/** Requests a second that an isolate admits while they cannot be counted. */
const maxUncounted = 50

/** One per isolate, because the memory lives in it. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { objects, quotas, now = () => Date.now(), timeoutMs = 1000, maxRemembered = 10_000 } = options
  const memory = createMemory(maxRemembered)
  const uncounted = createLocalLimit({ quota: maxUncounted, windowMs: 1000 })
  const alarm = createAlarm()

  /** The target's refusals that have not ended, as an outcome; null if there are none. */
  const recall = (target: Target): Outcome | null => {
    const counted = limitsOf(target)
    const askedAt = now()
    const standings = counted.flatMap(({ limit, key }) => {
      const endsAt = memory.find(key, askedAt)
      return endsAt === null ? [] : [refusing(limit, endsAt - askedAt)]
    })
    return standings.length === 0 ? null : { kind: 'refused', limits: counted.map(({ limit }) => limit), standings }
  }

  const ask = async (target: Target): Promise<Outcome> => {
    const counted = limitsOf(target)
    const limits = counted.map(({ limit }) => limit)
    const askedAt = now()
    try {
      const { admitted, standings } = await withTimeout(
        timeoutMs,
        objects.getByName(target.object).check(target.buckets),
      )
      if (admitted) return { kind: 'admitted', limits, standings: join(limits, standings) }
      for (const [index, { key }] of counted.entries()) {
        const { waitMs } = standings[index] ?? { waitMs: 0 }
        // Counted from the request, not the response: the wait began in between, and must not be remembered for longer.
        if (waitMs > 0) memory.add(key, askedAt + waitMs)
      }
      return { kind: 'refused', limits, standings: join(limits, standings).filter(({ waitMs }) => waitMs > 0) }
    } catch (error) {
      return { kind: 'failed', limits, error }
    }
  }

  const countsOf = ({ object, buckets }: Target): Promise<readonly number[]> =>
    withTimeout(timeoutMs, objects.getByName(object).look(buckets))

  return {
    policies: createPolicies(quotas),
    mayGoOnUncounted: () => uncounted('all', now()) === 0,
    failureAlarm: () => alarm(now()),
    countsOf,
    hasCounted: async (target) => (await countsOf(target)).some((count) => count > 0),
    isRefused: (target) => recall(target) !== null,
    recall,
    check: async (target) => recall(target) ?? (await ask(target)),
    async checkAll(targets) {
      const recalled = targets.map(recall).filter((outcome) => outcome !== null)
      return recalled.length > 0 ? recalled : await Promise.all(targets.map(ask))
    },
  }
}

const refusing = (limit: Limit, waitMs: number): LimitStanding => ({ ...limit, remaining: 0, waitMs, resetMs: waitMs })

/** @throws TypeError if the object returned other limits: it may belong to another deployment */
function join(limits: readonly Limit[], standings: readonly Standing[]): LimitStanding[] {
  return limits.map((limit, index) => {
    const standing = standings[index]
    if (standing === undefined) throw new TypeError('the object answered for other limits')
    return { ...limit, ...standing }
  })
}
