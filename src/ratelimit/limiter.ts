// The isolate's side of the limits: one call of one object decides, and its refusals are remembered until they end, so
// that a client over its limit costs nothing more. Never waits long for an object and never guesses for one.
import { createPolicies, type Policies, type PolicyName, type Target } from './policies.ts'
import type { Bucket, Limit, Standing } from './window.ts'

/** As much of the Durable Objects' namespace as is used. */
export interface LimiterObjects {
  getByName(name: string): {
    check(buckets: readonly Bucket[]): Promise<{ readonly admitted: boolean; readonly standings: readonly Standing[] }>
  }
}

export interface LimiterOptions {
  readonly objects: LimiterObjects
  /** Quotas that replace the defaults. */
  readonly quotas?: Readonly<Partial<Record<PolicyName, number>>>
  readonly now?: () => number
  /** The longest wait for an object; it may be on another continent and have to start. */
  readonly timeoutMs?: number
  /** The most refusals that are remembered at once. */
  readonly maxRemembered?: number
}

/** What became of a request. `limits` are all that it counted against, also where nobody could tell how they stand. */
export type Outcome = { readonly limits: readonly Limit[] } & (
  | { readonly kind: 'admitted'; readonly standings: readonly Standing[] }
  /** `standings` are those that refused, one at least. */
  | { readonly kind: 'refused'; readonly standings: readonly Standing[] }
  /** The object failed or was too slow; whether it counted the request is not known. */
  | { readonly kind: 'failed'; readonly error: unknown }
)

export interface Limiter {
  readonly policies: Policies
  /** Counts one request; rejects never. */
  check(target: Target): Promise<Outcome>
}

const isRefusing = ({ waitMs }: Standing): boolean => waitMs > 0

/** Refusals by what they hold for. A refusal writes nothing, so nobody can end it before its time. */
function createMemory(most: number) {
  const ends = new Map<string, { readonly endsAt: number; readonly standing: Standing }>()
  const key = (object: string, name: string, place: string, policy: string): string =>
    [object, name, place, policy].join(' ')
  /** The expired go first, then the oldest. */
  const makeRoom = (now: number): void => {
    if (ends.size < most) return
    for (const [held, { endsAt }] of ends) if (endsAt <= now) ends.delete(held)
    for (const held of ends.keys()) {
      if (ends.size < most) return
      ends.delete(held)
    }
  }
  return {
    add(object: string, standing: Standing, askedAt: number): void {
      makeRoom(askedAt)
      // From when it was asked, not answered: the object's wait began in between, and must not be outlived here.
      const endsAt = askedAt + standing.waitMs
      ends.set(key(object, standing.bucket, standing.place, standing.policy), { endsAt, standing })
    },
    find({ object, buckets }: Target, now: number): Standing[] {
      if (ends.size === 0) return []
      return buckets.flatMap(({ name, place, limits }) =>
        limits.flatMap(({ policy }) => {
          const found = ends.get(key(object, name, place, policy))
          if (found === undefined || found.endsAt <= now) return []
          const waitMs = found.endsAt - now
          return [{ ...found.standing, waitMs, resetMs: waitMs }]
        }),
      )
    },
  }
}

/** The answer, or a rejection when it takes longer. */
async function within<Answer>(timeoutMs: number, answer: Promise<Answer>): Promise<Answer> {
  const { promise: deadline, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** Make one an isolate: the memory lives in it. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { objects, quotas, now = () => Date.now(), timeoutMs = 1000, maxRemembered = 10_000 } = options
  const memory = createMemory(maxRemembered)
  return {
    policies: createPolicies(quotas),
    async check(target) {
      const limits = target.buckets.flatMap((bucket) => bucket.limits)
      const askedAt = now()
      const remembered = memory.find(target, askedAt)
      if (remembered.length > 0) return { kind: 'refused', limits, standings: remembered }
      try {
        const { admitted, standings } = await within(timeoutMs, objects.getByName(target.object).check(target.buckets))
        if (admitted) return { kind: 'admitted', limits, standings }
        const refusing = standings.filter(isRefusing)
        for (const standing of refusing) memory.add(target.object, standing, askedAt)
        return { kind: 'refused', limits, standings: refusing }
      } catch (error) {
        return { kind: 'failed', limits, error }
      }
    },
  }
}
