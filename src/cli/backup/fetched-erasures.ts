// The erasures that the Worker has copied into its bucket: read from there, or from the folder of a fetched backup, where
// `fetch` leaves them as a signed list.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { AuditKeys } from '../../audit/keys.ts'
import { erasurePrefix } from '../../backup/bucket.ts'
import { openTombstone, type Tombstone, tombstoneKey, tombstoneSchema } from '../../backup/tombstones.ts'
import { decodeBase64, encodeBase64 } from '../../crypto/encoding.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import type { BucketSource } from './bucket-source.ts'
import { forEach } from './for-each.ts'

const why = {
  invalid: 'was not written by the Worker: someone has changed the bucket (docs/disaster-recovery.md)',
  unknown_key: 'has a key that is not configured: set AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS as in the Worker',
}

/**
 * The erasures that the bucket has, oldest first.
 * @throws Error for an object that is not authentic: someone would be missing without a word
 */
export async function erasuresOfBucket({ list, text }: BucketSource, keys: AuditKeys): Promise<Tombstone[]> {
  const found: Tombstone[] = []
  await forEach(await list(erasurePrefix), async (key) => {
    const opened = await openTombstone(keys, key, await text(key))
    if (typeof opened === 'string') throw new Error(`The object ${key} ${why[opened]}.`)
    found.push(opened)
  })
  return found.toSorted((a, b) => (tombstoneKey(a) < tombstoneKey(b) ? -1 : 1))
}

const listName = 'erasures.json'
const macName = 'erasures.mac'
const listSchema = z.strictObject({ fetched_at: z.iso.datetime(), erasures: z.array(tombstoneSchema) })
export type FetchedErasures = z.output<typeof listSchema>

/** Signed in one piece: a line that is taken out shows. */
const signedFields = (text: string): string[] => ['list', text]

/** Saves the erasures of the bucket in the folder of a backup. Returns why not, where it cannot. */
export async function saveErasures(source: BucketSource, folder: string, keys: AuditKeys): Promise<Error | null> {
  // Before the list is read: what is erased later is not in it.
  const fetchedAt = new Date().toISOString()
  try {
    const erasures = await erasuresOfBucket(source, keys)
    const text = `${JSON.stringify({ fetched_at: fetchedAt, erasures }, null, 2)}\n`
    const { keyId, mac } = await keys.sign('erasure', signedFields(text))
    await writeFile(join(folder, listName), text, { mode: 0o600 })
    await writeFile(join(folder, macName), `${keyId} ${encodeBase64(mac)}\n`, { mode: 0o600 })
    return null
  } catch (error) {
    for (const name of [listName, macName]) await rm(join(folder, name), { force: true })
    return error instanceof Error ? error : new Error(String(error))
  }
}

/**
 * The list in the folder of a backup; null where there is none.
 * @throws Error where it was changed
 */
export async function readFetched(folder: string, keys: AuditKeys): Promise<FetchedErasures | null> {
  const text = await readFile(join(folder, listName), 'utf8').catch(nullIfMissing)
  if (text === null) return null
  const signature = (await readFile(join(folder, macName), 'utf8').catch(nullIfMissing)) ?? ''
  const [keyId = '', encoded = ''] = signature.trimEnd().split(' ')
  const given = { keyId, mac: decodeBase64(encoded) ?? new Uint8Array() }
  if ((await keys.verify('erasure', signedFields(text), given)) !== 'valid')
    throw new Error(`The list of erasures in ${folder} was changed, or AUDIT_KEY is another one: fetch it again.`)
  return listSchema.parse(JSON.parse(text))
}
