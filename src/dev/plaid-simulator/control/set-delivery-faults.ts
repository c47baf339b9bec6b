// Sets the faults of webhook deliveries.
import type * as z from 'zod'
import type { World } from '../state/world.ts'
import type { deliveryFaultsRequest } from './requests.ts'

type DeliveryFaultsRequest = z.infer<typeof deliveryFaultsRequest>

/** Changes the given settings. Returns all settings. */
export function setDeliveryFaults({ delivery, keys }: World, wanted: DeliveryFaultsRequest): object {
  const { faults } = delivery
  faults.duplicate = count(wanted.duplicate) ?? faults.duplicate
  faults.drop = count(wanted.drop) ?? faults.drop
  faults.delayMs = wanted.delay_ms ?? faults.delayMs
  // "Reorder all" would hold webhooks back forever, so true swaps the next two.
  faults.reorder = (wanted.reorder === true ? 2 : count(wanted.reorder)) ?? faults.reorder
  if (wanted.reorder !== undefined && faults.reorder === 0) delivery.release()
  if (wanted.rotate_key === true) keys.rotate()
  if (wanted.expire_key === true) keys.expire(wanted.rotate_key === true ? 1 : 0)
  keys.extras.header = wanted.extra_header ?? keys.extras.header
  keys.extras.claims = wanted.extra_claims ?? keys.extras.claims
  keys.extras.key = wanted.extra_key ?? keys.extras.key
  if (wanted.tamper !== undefined) faults.tampering = tamperingOf(wanted.tamper)
  const { delayMs, tampering, duplicate, reorder, drop } = faults
  return {
    duplicate: ordered(duplicate),
    reorder,
    delay_ms: delayMs,
    drop: ordered(drop),
    tamper: tampering,
    extras: keys.extras,
  }
}

function count(wanted: number | boolean | undefined): number | undefined {
  if (typeof wanted === 'boolean') return wanted ? Infinity : 0
  return wanted
}

function ordered(left: number): number | boolean {
  return left === Infinity ? true : left
}

function tamperingOf(wanted: DeliveryFaultsRequest['tamper']) {
  if (wanted === true) return 'body' as const
  return wanted === false || wanted === undefined ? null : wanted
}
