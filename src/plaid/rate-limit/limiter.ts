// The isolate's side of Plaid's limits: asks the object that counts the endpoint's limit, waits if the wait is short,
// and decides which calls are allowed while that object fails. Never calls Plaid and never throws.
import { withTimeout } from '../../timeout.ts'
import type { Admission, LimitedCall, LimitState, RejectedCall } from './admission.ts'
import { isPaidPath, limitNameOf, type PlaidLimitName, type PlaidLimits } from './limits.ts'
import type { Priority } from './window.ts'

/** Who calls Plaid. A user waits for `interactive` calls. */
export interface Caller {
  readonly priority: Priority
  /** Our item id; null if the call concerns no stored item. */
  readonly itemId: string | null
  /** Our id of the user that the call serves; null for none. */
  readonly userId: string | null
}

/** The part of the Durable Objects' namespace that is used. */
export interface PlaidLimiterObjects {
  getByName(
    name: string,
    options?: { locationHint?: DurableObjectLocationHint },
  ): {
    admit(call: LimitedCall): Promise<Admission>
    refused(rejected: RejectedCall): Promise<void>
    /** Absent in an object of an earlier version. */
    look?(name: string): Promise<LimitState>
  }
}

export interface PlaidLimiterOptions {
  readonly objects: PlaidLimiterObjects
  readonly limits: PlaidLimits
  /** Where the objects are created; null for near their first caller. */
  readonly location?: DurableObjectLocationHint | null
  readonly wait: (milliseconds: number) => Promise<void>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly now?: () => number
  /** The longest wait for the object. */
  readonly timeoutMs?: number
  /** Called when the object failed; raises an alarm. */
  readonly onFailure: (error: unknown) => void
}

/** Whether a call may be made; if not, when to try again. */
export type Outcome =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'refused' | 'failed'; readonly afterSeconds: number }

export interface PlaidLimiter {
  /** Waits for admission, a few seconds at most. */
  check(path: string, caller: Caller): Promise<Outcome>
  /** Records Plaid's 429 for all isolates. */
  recordRejection(path: string, caller: Caller, errorCode: string, retryAfterSeconds: number | null): Promise<void>
}

/**
 * One object for each limit of the Plaid client: limits are independent, so the counts stay exact, and an object that
 * fails or is busy concerns its endpoints alone. Endpoints without a limit share one, which knows Plaid's refusals.
 */
export const objectNameFor = (limitName: PlaidLimitName | null): string => `client:${limitName ?? 'unlimited'}`
const objectNameOf = ({ limit }: LimitedCall): string => objectNameFor(limit?.name ?? null)
/** Short, because a user is waiting, and because a run occupies one of few queue consumers while it waits. */
const maxWaitMs: Readonly<Record<Priority, number>> = { interactive: 3000, background: 5000 }
/** How long a failed object is not called, so that calls do not wait for it in vain. */
const pauseMs = 5000
const unavailableSeconds = 60

/** One per isolate, because it remembers which objects failed. */
export function createPlaidLimiter(options: PlaidLimiterOptions): PlaidLimiter {
  const { objects, limits, location = null, wait, random } = options
  const { now = () => Date.now(), timeoutMs = 1000, onFailure } = options
  const pausedUntilMs = new Map<string, number>()
  const placement = location === null ? {} : { locationHint: location }

  const callOf = (path: string, { itemId, userId, priority }: Caller): LimitedCall => {
    const name = limitNameOf(path)
    return { path, itemId, userId, priority, limit: name === null ? null : { name, ...limits[name] } }
  }

  const ask = async (call: LimitedCall): Promise<Admission | null> => {
    const name = objectNameOf(call)
    if (now() < (pausedUntilMs.get(name) ?? 0)) return null
    try {
      return await withTimeout(timeoutMs, objects.getByName(name, placement).admit(call))
    } catch (error) {
      pausedUntilMs.set(name, now() + pauseMs)
      onFailure(error)
      return null
    }
  }

  /**
   * While the object fails, interactive calls are allowed (20 % of each limit are theirs); background and paid calls
   * are not.
   */
  const uncounted = ({ path, priority }: LimitedCall): Outcome =>
    priority === 'interactive' && !isPaidPath(path)
      ? { kind: 'admitted' }
      : { kind: 'failed', afterSeconds: unavailableSeconds }

  return {
    async check(path, caller) {
      const call = callOf(path, caller)
      let leftMs = maxWaitMs[call.priority]
      for (;;) {
        const admission = await ask(call)
        if (admission === null) return uncounted(call)
        if (admission.admitted) return { kind: 'admitted' }
        if (admission.waitMs > leftMs) return { kind: 'refused', afterSeconds: Math.ceil(admission.waitMs / 1000) }
        // Jitter, so that callers that wait for the same second do not retry at once.
        const pause = admission.waitMs + random() * 200
        leftMs -= pause
        await wait(pause)
      }
    },

    async recordRejection(path, caller, errorCode, retryAfterSeconds) {
      const rejected = { ...callOf(path, caller), errorCode, retryAfterSeconds }
      try {
        await withTimeout(timeoutMs, objects.getByName(objectNameOf(rejected), placement).refused(rejected))
      } catch (error) {
        onFailure(error)
      }
    },
  }
}
