// What each of Plaid's limits has used, for operators. Reads the objects and counts nothing.
import { withTimeout } from '../../timeout.ts'
import type { LimitState } from './admission.ts'
import { objectNameFor, type PlaidLimiterObjects } from './limiter.ts'
import { isLimitName, type PlaidLimit, type PlaidLimitName, type PlaidLimits } from './limits.ts'

export interface LimitLook extends PlaidLimit {
  readonly name: PlaidLimitName
  /** Null if the object did not respond; the others are shown all the same. */
  readonly state: LimitState | null
}

export interface LookOptions {
  readonly objects: PlaidLimiterObjects
  readonly limits: PlaidLimits
  readonly location: DurableObjectLocationHint | null
  readonly onFailure: (error: unknown) => void
}

/** An object may be on another continent and have to start. */
const timeoutMs = 5000

export async function lookAtLimits({ objects, limits, location, onFailure }: LookOptions): Promise<LimitLook[]> {
  const stateOf = async (name: PlaidLimitName): Promise<LimitState | null> => {
    try {
      const object = objects.getByName(objectNameFor(name), location === null ? {} : { locationHint: location })
      if (object.look === undefined) throw new TypeError('the object is of an earlier version')
      return await withTimeout(timeoutMs, object.look(name))
    } catch (error) {
      onFailure(error)
      return null
    }
  }
  const names = Object.keys(limits).filter(isLimitName)
  return await Promise.all(names.map(async (name) => ({ name, ...limits[name], state: await stateOf(name) })))
}
