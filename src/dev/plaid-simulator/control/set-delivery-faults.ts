// Sets the faults of webhook deliveries.
import type * as z from 'zod'
import type { World } from '../state/world.ts'
import type { webhookMischief } from './requests.ts'

type MischiefRequest = z.infer<typeof webhookMischief>

/** Changes the given settings. Returns all settings. */
export function orderMischief({ delivery, keys }: World, wanted: MischiefRequest): object {
  const { mischief } = delivery
  mischief.duplicate = count(wanted.duplicate) ?? mischief.duplicate
  mischief.drop = count(wanted.drop) ?? mischief.drop
  mischief.delayMs = wanted.delay_ms ?? mischief.delayMs
  // "Reorder all" would hold webhooks back forever, so true swaps the next two.
  mischief.reorder = (wanted.reorder === true ? 2 : count(wanted.reorder)) ?? mischief.reorder
  if (wanted.reorder !== undefined && mischief.reorder === 0) delivery.release()
  if (wanted.rotate_key === true) keys.rotate()
  if (wanted.expire_key === true) keys.expire(wanted.rotate_key === true ? 1 : 0)
  keys.extras.header = wanted.extra_header ?? keys.extras.header
  keys.extras.claims = wanted.extra_claims ?? keys.extras.claims
  keys.extras.key = wanted.extra_key ?? keys.extras.key
  if (wanted.tamper !== undefined) mischief.tampering = tamperingOf(wanted.tamper)
  const { delayMs, tampering, duplicate, reorder, drop } = mischief
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

function tamperingOf(wanted: MischiefRequest['tamper']) {
  if (wanted === true) return 'body' as const
  return wanted === false || wanted === undefined ? null : wanted
}
