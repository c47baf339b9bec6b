// The format of a backup, version 1: docs/disaster-recovery.md describes it. A backup is a folder with one file for each
// table, `manifest.json`, and `manifest.mac`. Pure.
import * as z from 'zod'
import type { AuditKeys } from '../audit/keys.ts'
import { decodeBase64, encodeBase64, encodeHex } from '../crypto/encoding.ts'

export const manifestName = 'manifest.json'
export const macName = 'manifest.mac'

const count = z.int().min(0)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const table = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** Columns that are stored, in the order of the table. Generated columns are not among them. */
  columns: z.array(z.string()).min(1),
  file: z.string().regex(/^[a-z0-9_]+\.[a-z0-9_]+\.jsonl\.gz\.age$/),
  rows: count,
  /** Of the file as it is stored. */
  bytes: count,
  sha256,
  /** Of the rows, before compression: each a JSON object and a line feed, in the order of the primary key. */
  rows_sha256: sha256,
})
export type TableEntry = z.output<typeof table>

export const idPattern = /^20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?:[0-5]\d){2}Z-[0-9a-f]{8}$/

export const manifestSchema = z.strictObject({
  format: z.literal(1),
  product: z.literal('wealthnavigator-edge'),
  /** The folder's name: the time of the snapshot and a random suffix. */
  id: z.string().regex(idPattern),
  created_at: z.iso.datetime(),
  server_version: z.string(),
  /** The newest migration of the database. */
  migration: z.strictObject({ created_at: z.int(), hash: z.string() }),
  recipients: z.array(z.string().startsWith('age1')).min(1),
  tables: z.array(table),
  sequences: z.array(
    z.strictObject({
      schema: z.string(),
      name: z.string(),
      last_value: z
        .string()
        .regex(/^-?\d+$/)
        .nullable(),
    }),
  ),
})
export type Manifest = z.output<typeof manifestSchema>

/** Text of `manifest.mac`: the id of the audit key, a space, the MAC of the text of `manifest.json` in base64, a line feed. */
export async function macOf(keys: AuditKeys, manifest: string): Promise<string> {
  const { keyId, mac } = await keys.sign('backup', [manifest])
  return `${keyId} ${encodeBase64(mac)}\n`
}

/** Whether the text of `manifest.mac` belongs to the manifest; `unknown_key` where the key that it names is not configured. */
export async function verifyMac(keys: AuditKeys, manifest: string, text: string): ReturnType<AuditKeys['verify']> {
  const [keyId = '', encoded = ''] = text.trimEnd().split(' ')
  return await keys.verify('backup', [manifest], { keyId, mac: decodeBase64(encoded) ?? new Uint8Array() })
}

/** `20261129T020000Z-` and eight hexadecimal digits. */
export const backupId = (at: Date, random: Uint8Array): string =>
  `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-${encodeHex(random.subarray(0, 4))}`

export const rowsOf = ({ tables }: Manifest): number => tables.reduce((sum, { rows }) => sum + rows, 0)
export const bytesOf = ({ tables }: Manifest): number => tables.reduce((sum, { bytes }) => sum + bytes, 0)

/** The time in an id. */
export const backupTime = (id: string): Date =>
  new Date(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/, '$1-$2-$3T$4:$5:$6Z'))

/** The recipients of `BACKUP_RECIPIENT`: age public keys, separated by commas or spaces. */
export const recipientsOf = (text: string): string[] => text.split(/[\s,]+/).filter((each) => each !== '')
