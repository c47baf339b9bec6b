// Who was erased, as objects of the bucket: a restored backup from before an erasure does not know of it. One object for each
// erasure, because two erasures at the same time would overwrite a shared one, and a locked object cannot grow. Its name is
// what identifies the erasure, so that the same one is never stored twice: the time and the hash of the person. A MAC shows
// that the Worker wrote it: who can write to the bucket could otherwise have anyone erased by the next restoration.
import * as z from 'zod'
import type { AuditKeys } from '../audit/keys.ts'
import { decodeBase64, encodeBase64 } from '../crypto/encoding.ts'
import { erasurePrefix } from './bucket.ts'

/** An erasure without a name: the person is a hash of issuer and subject. */
export const tombstoneSchema = z.strictObject({
  id: z.uuid(),
  subject_hash: z.string().regex(/^[0-9a-f]{64}$/),
  requested_at: z.iso.datetime({ offset: true }),
})
export type Tombstone = z.output<typeof tombstoneSchema>

/**
 * The bucket keeps the tombstone of everyone who was erased within this time. Neon's longest restore window:
 * https://neon.com/docs/introduction/restore-window
 */
export const bucketHasMs = 30 * 86_400_000

const storedSchema = tombstoneSchema.extend({ key_id: z.string(), mac: z.base64() })

const namePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-([0-9a-f]{64})\.json$/

/** `erasures/20261130T120000123Z-HASH.json`. */
export const tombstoneKey = ({ requested_at: at, subject_hash: hash }: Omit<Tombstone, 'id'>): string =>
  `${erasurePrefix}${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}-${hash}.json`

/** What the name of an object says; null for a name that is not one of a tombstone. */
export function tombstoneOfKey(key: string): Omit<Tombstone, 'id'> | null {
  const [, year, month, day, hour, minute, second, milliseconds, hash] =
    namePattern.exec(key.slice(erasurePrefix.length)) ?? []
  if (hash === undefined) return null
  return {
    subject_hash: hash,
    requested_at: `${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`,
  }
}

const signedFields = ({ id, subject_hash: hash, requested_at: at }: Tombstone): string[] => [id, hash, at]

/** The text of the object. */
export async function tombstoneText(keys: AuditKeys, tombstone: Tombstone): Promise<string> {
  const { keyId, mac } = await keys.sign('erasure', signedFields(tombstone))
  return `${JSON.stringify({ ...tombstone, key_id: keyId, mac: encodeBase64(mac) })}\n`
}

/** Null for a text that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The tombstone of an object; otherwise why it is none that this deployment wrote under this name. */
export async function openTombstone(
  keys: AuditKeys,
  key: string,
  text: string,
): Promise<Tombstone | 'invalid' | 'unknown_key'> {
  const parsed = storedSchema.safeParse(parseJson(text))
  if (!parsed.success) return 'invalid'
  const { key_id: keyId, mac, ...tombstone } = parsed.data
  if (tombstoneKey(tombstone) !== key) return 'invalid'
  const given = { keyId, mac: decodeBase64(mac) ?? new Uint8Array() }
  const verified = await keys.verify('erasure', signedFields(tombstone), given)
  return verified === 'valid' ? tombstone : verified
}
