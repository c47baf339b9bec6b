// Injected faults: how the next calls of an endpoint fail or are delayed.
import { type ErrorBody, failure, isErrorCode, type PlaidFailure, PlaidFailure as Failure } from '../lib/failure.ts'

export interface Fault {
  /** A path, or `*` for every endpoint. */
  endpoint: string
  /** How many more calls it affects. */
  times: number
  /** How many matching calls pass before. */
  after: number
  error: string | ErrorBody | null
  status: number | null
  latencyMs: number
  /** `before`: cuts the connection and does nothing. `after`: the call takes effect and the response is lost. */
  drop: 'before' | 'after' | null
  /** Never responds: before anything happens, or after the call took effect. */
  hang: 'before' | 'after' | null
  /** The whole response body, with the fault's status: a proxy's page, or truncated JSON. */
  text: string | null
  /** Changes the item between two pages of a sync, so that the next page fails. */
  mutateDuringPagination: boolean
}

/** Takes the first fault for this call and counts it. */
export function takeFault(faults: Fault[], path: string, midPagination: boolean): Fault | null {
  const matching = faults.filter((fault) => fault.endpoint === path || fault.endpoint === '*')
  for (const fault of matching) {
    if (fault.mutateDuringPagination && !midPagination) continue
    if (fault.after > 0) {
      fault.after -= 1
      continue
    }
    fault.times -= 1
    if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1)
    return fault
  }
  return null
}

/** The fault's error, or null if it has none. */
export function faultError({ error, status, text }: Fault): PlaidFailure | null {
  if (text !== null || (error === null && status === null)) return null
  if (typeof error === 'object' && error !== null) return new Failure(status ?? 400, error)
  const code = error ?? 'INTERNAL_SERVER_ERROR'
  if (!isErrorCode(code)) throw new RangeError(`not an error code of Plaid's: ${code}`)
  const known = failure(code)
  return status === null ? known : new Failure(status, known.body)
}
