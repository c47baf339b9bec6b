// Orders a fault for the next calls of an endpoint.

import type * as z from 'zod'

import type { Fault } from '../faults.ts'
import type { faultRequest } from './requests.ts'
import { refuse } from './requests.ts'

type FaultRequest = z.infer<typeof faultRequest>

/** Adds the fault behind those that wait already. `times` 0 takes the endpoint's faults back. Refuses one that does nothing. */
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
    drop: dropOf(wanted),
    mutateDuringPagination: wanted.mutate_during_pagination ?? false,
  }
  const harmless = fault.error === null && fault.status === null && fault.latencyMs === 0 && fault.drop === null
  if (harmless && !fault.mutateDuringPagination) {
    throw refuse(400, 'a fault needs one of error, status, latency_ms, drop, mutate_during_pagination')
  }
  faults.push(fault)
}

function errorOf({ error }: FaultRequest): Fault['error'] {
  if (error === undefined || typeof error === 'string') return error ?? null
  return { error_message: 'a fault on order', display_message: null, ...error }
}

function dropOf({ drop }: FaultRequest): Fault['drop'] {
  if (drop === undefined || drop === false) return null
  return drop === 'after' ? 'after' : 'before'
}

/** A waiting fault, in the words of the request. */
export function faultView({ latencyMs, mutateDuringPagination, ...rest }: Fault): object {
  return { ...rest, latency_ms: latencyMs, mutate_during_pagination: mutateDuringPagination }
}
