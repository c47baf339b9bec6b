// Rotates the encryption keys: seals every stored secret again under the current key, a batch for each queue message. A
// value is replaced only if it has not changed, so syncs and token rotations can run meanwhile. Each step is
// idempotent.
import { audit, recordAlone } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { rewrap, sealedPlaces } from '../custody/rewrap.ts'
import { listTotpSecrets, replaceTotpSecrets } from '../db/identity/totp.ts'
import {
  listSealedValues,
  type Replacement,
  replaceSealedValues,
  type StoredSealedValue,
} from '../db/operations/sealed-values.ts'
import { AppError } from '../errors.ts'
import type { RewrapMessage } from '../messages/message.ts'

/**
 * The number of values that one message seals again, and the pause before the next message: at most 500 values a
 * second. Each rotation has its own messages, so two at the same time seal twice as many.
 */
const batchSize = 500
export const pauseSeconds = 1

/**
 * Enqueues the first step. Safe while another rotation to the same key runs.
 * @throws AppError `unavailable` if the queue does not accept the message
 */
export async function startKeyRotation(ctx: Ctx): Promise<void> {
  const { services, log } = ctx
  const { keyring, enqueueRewrap } = services
  const first: RewrapMessage = { rewrap: sealedPlaces[0], after: null, key_id: keyring.currentKeyId }
  // The queue is no database: a row without its rotation can be, a rotation without its row cannot.
  await recordAlone(ctx, await audit(ctx, { action: 'key_rotation_started', target: first.key_id }))
  if (!(await enqueueRewrap(first, 0)))
    throw new AppError('unavailable', 'The rotation could not be queued. Try again shortly.', { retryAfterSeconds: 5 })
  log.info('key_rotation_started', { key_id: first.key_id })
}

/** Functions that read and replace the values of a place; null if the deployment has no such place. */
async function accessTo({ services }: Ctx, { rewrap: place, after, key_id: keyId }: RewrapMessage) {
  const from = { keyId, after, limit: batchSize }
  if (place !== 'totp_secrets')
    return {
      rows: await listSealedValues(services.jobs, place, from),
      replace: (replacements: readonly Replacement[]) => replaceSealedValues(services.jobs, place, replacements),
    }
  if (services.identity === null) return null
  const { database } = await services.identity()
  const found = await listTotpSecrets(database, from)
  return {
    rows: found.map(({ accountId: id, sealed }): StoredSealedValue => ({ id, userId: id, ownerId: id, sealed })),
    replace: (replacements: readonly Replacement[]) => replaceTotpSecrets(database, replacements),
  }
}

/**
 * Seals the next batch again. Returns the message of the next step; null after the last one. A value that no key opens
 * is logged and stays as it is.
 * @throws AppError `unavailable` if the database does not respond, or if this isolate has another current key than the
 *   message
 */
export async function rewrapBatch(ctx: Ctx, message: RewrapMessage): Promise<RewrapMessage | null> {
  const { services, log } = ctx
  const { rewrap: place, key_id: keyId } = message
  if (services.keyring.currentKeyId !== keyId)
    throw new AppError('unavailable', 'Another version of the Worker rotates the keys.', { reason: `key ${keyId}` })
  const access = await accessTo(ctx, message)
  const rows = access?.rows ?? []
  const replacements: Replacement[] = []
  for (const row of rows)
    try {
      replacements.push({ id: row.id, from: row.sealed, to: await rewrap(services.keyring, place, row) })
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'token_undecryptable')) throw error
      log.error('value_not_rewrapped', { phase: place, target_id: row.id, error })
    }
  const replaced = (await access?.replace(replacements)) ?? 0
  log.info('values_rewrapped', { phase: place, key_id: keyId, count: replaced })
  const last = rows.length < batchSize ? undefined : rows.at(-1)
  if (last !== undefined) return { ...message, after: last.id }
  const next = sealedPlaces[sealedPlaces.indexOf(place) + 1]
  if (next !== undefined) return { rewrap: next, after: null, key_id: keyId }
  log.info('key_rotation_finished', { key_id: keyId })
  return null
}
