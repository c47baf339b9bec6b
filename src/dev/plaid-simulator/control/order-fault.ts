// Injects a fault into the next calls of an endpoint.
import type * as z from 'zod'
import type { Fault } from '../state/faults.ts'
import { type faultRequest, refuse } from './requests.ts'

type FaultRequest = z.infer<typeof faultRequest>

/**
 * Adds the fault after the waiting ones. `times` 0 removes the endpoint's faults. Refuses a fault without an effect.
 */
export function addFault(faults: Fault[], wanted: FaultRequest): void {
  if (wanted.times === 0) {
    const kept = faults.filter(({ endpoint }) => endpoint !== wanted.endpoint)
    faults.splice(0, faults.length, ...kept)
    return
  }
  const fault: Fault = {
    endpoint: wanted.endpoint,
    times: wanted.times,
    after: wanted.after,
    error: errorOf(wanted),
    status: wanted.status ?? null,
    latencyMs: wanted.latency_ms ?? 0,
    drop: momentOf(wanted.drop),
    hang: momentOf(wanted.hang),
    text: wanted.text ?? null,
    mutateDuringPagination: wanted.mutate_during_pagination ?? false,
  }
  const { error, status, latencyMs, drop, hang, text, mutateDuringPagination } = fault
  const harmless = [error, status, drop, hang, text].every((part) => part === null)
  if (harmless && latencyMs === 0 && !mutateDuringPagination) {
    throw refuse(400, 'a fault needs one of error, status, latency_ms, drop, hang, text, mutate_during_pagination')
  }
  if (status !== null && status < 400 && text === null) throw refuse(400, 'a status below 400 needs a text')
  faults.push(fault)
}

function errorOf({ error }: FaultRequest): Fault['error'] {
  if (error === undefined || typeof error === 'string') return error ?? null
  return { error_message: 'a fault on order', display_message: null, ...error }
}

function momentOf(wanted: FaultRequest['drop']): Fault['drop'] {
  if (wanted === undefined || wanted === false) return null
  return wanted === 'after' ? 'after' : 'before'
}

/** A waiting fault, in the shape of the request. */
export function faultView({ latencyMs, mutateDuringPagination, ...rest }: Fault): object {
  return { ...rest, latency_ms: latencyMs, mutate_during_pagination: mutateDuringPagination }
}
