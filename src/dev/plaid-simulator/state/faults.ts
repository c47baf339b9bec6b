// Injected faults: how the next calls of an endpoint fail, or are delayed.
import { type ErrorBody, failure, isErrorCode, type PlaidFailure, PlaidFailure as Failure } from '../lib/failure.ts'

export interface Fault {
  /** A path, or `*` for every endpoint. */
  endpoint: string
  /** How many more calls it hits. */
  times: number
  /** How many matching calls pass before it starts. */
  after: number
  error: string | ErrorBody | null
  status: number | null
  latencyMs: number
  /** `before`: the connection is cut and nothing happened. `after`: it happened, and the answer is lost. */
  drop: 'before' | 'after' | null
  /** Never answers: before anything happened, or after the call took effect. */
  hang: 'before' | 'after' | null
  /** The answer's whole text, with the fault's status: a proxy's page, or JSON cut short. */
  text: string | null
  /** Changes the item between two pages of a sync, so that the next page fails. */
  mutateDuringPagination: boolean
}

/** Takes the first fault that hits this call, and counts it. */
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

/** The error that the fault answers with, or null when it has none. */
export function faultError({ error, status, text }: Fault): PlaidFailure | null {
  if (text !== null || (error === null && status === null)) return null
  if (typeof error === 'object' && error !== null) return new Failure(status ?? 400, error)
  const code = error ?? 'INTERNAL_SERVER_ERROR'
  if (!isErrorCode(code)) throw new RangeError(`not an error code of Plaid's: ${code}`)
  const known = failure(code)
  return status === null ? known : new Failure(status, known.body)
}
