// The isolate's side of Plaid's limits: asks the one object that counts, waits where the wait is short, and decides what
// goes on when nobody can count. Makes no call of Plaid's and never throws.
import { within } from '../deadline.ts'
import type { Admission, QuotaCall, QuotaRefusal } from './quota-keeper.ts'
import { isPaidPath, limitNameOf, type PlaidLimits } from './quota-limits.ts'
import type { Priority } from './quota-window.ts'

/** Who calls Plaid. A user waits for `interactive`; nobody does for `background`. */
export interface Caller {
  readonly priority: Priority
  /** Ours; null where the call is about no item, or about one that is not ours yet. */
  readonly itemId: string | null
}

/** As much of the Durable Objects' namespace as is used. */
export interface QuotaObjects {
  getByName(name: string): {
    admit(call: QuotaCall): Promise<Admission>
    refused(refusal: QuotaRefusal): Promise<void>
  }
}

export interface QuotaOptions {
  readonly objects: QuotaObjects
  readonly limits: PlaidLimits
  readonly wait: (milliseconds: number) => Promise<void>
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly now?: () => number
  /** The longest wait for the object. */
  readonly timeoutMs?: number
  /** Told when nobody could count; an alarm. */
  readonly onFailure: (error: unknown) => void
}

/** Whether a call may be made; `afterSeconds` says when asking again makes sense. */
export type Turn =
  | { readonly kind: 'granted' }
  | { readonly kind: 'spent' | 'unavailable'; readonly afterSeconds: number }

export interface Quota {
  /** Waits for a turn, a few seconds at most. */
  turn(path: string, caller: Caller): Promise<Turn>
  /** Tells everybody that Plaid answered 429. */
  refused(path: string, caller: Caller, errorCode: string, retryAfterSeconds: number | null): Promise<void>
}

/** `errorType` of a call that was not made for the budget's sake. */
export const quotaErrorType = 'QUOTA'
/** One Plaid client, one object. */
const objectName = 'client'
/** A user should hear soon that it takes longer; a run holds one of few consumers while it waits. */
const patienceMs: Readonly<Record<Priority, number>> = { interactive: 3000, background: 5000 }
/** After a failure the object is left alone for so long, so that not every call waits for it in vain. */
const pauseMs = 5000
const unavailableSeconds = 60

/** Make one an isolate: it remembers that the object failed. */
export function createQuota(options: QuotaOptions): Quota {
  const { objects, limits, wait, random, now = () => Date.now(), timeoutMs = 1000, onFailure } = options
  let pausedUntilMs = 0

  const callOf = (path: string, { itemId, priority }: Caller): QuotaCall => {
    const name = limitNameOf(path)
    return { path, itemId, priority, limit: name === null ? null : { name, ...limits[name] } }
  }

  const ask = async (call: QuotaCall): Promise<Admission | null> => {
    if (now() < pausedUntilMs) return null
    try {
      return await within(timeoutMs, objects.getByName(objectName).admit(call))
    } catch (error) {
      pausedUntilMs = now() + pauseMs
      onFailure(error)
      return null
    }
  }

  /** Uncounted, a user's call goes on: 20 % of each limit are theirs. What nobody waits for, or what costs money, does not. */
  const uncounted = ({ path, priority }: QuotaCall): Turn =>
    priority === 'interactive' && !isPaidPath(path)
      ? { kind: 'granted' }
      : { kind: 'unavailable', afterSeconds: unavailableSeconds }

  return {
    async turn(path, caller) {
      const call = callOf(path, caller)
      let patience = patienceMs[call.priority]
      for (;;) {
        const admission = await ask(call)
        if (admission === null) return uncounted(call)
        if (admission.admitted) return { kind: 'granted' }
        if (admission.waitMs > patience) return { kind: 'spent', afterSeconds: Math.ceil(admission.waitMs / 1000) }
        // Those who wait for the same second do not all come at once.
        const pause = admission.waitMs + random() * 200
        patience -= pause
        await wait(pause)
      }
    },

    async refused(path, caller, errorCode, retryAfterSeconds) {
      const refusal = { ...callOf(path, caller), errorCode, retryAfterSeconds }
      try {
        await within(timeoutMs, objects.getByName(objectName).refused(refusal))
      } catch (error) {
        onFailure(error)
      }
    },
  }
}
