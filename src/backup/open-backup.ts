// Reads a backup: verifies the manifest, decrypts and decompresses tables, and checks each against the manifest.
import { Decrypter } from 'age-encryption'
import type { AuditKeys } from '../audit/keys.ts'
import type { Bytes } from '../crypto/encoding.ts'
import type { Digest } from './create-backup.ts'
import { macName, type Manifest, manifestName, manifestSchema, type TableEntry, verifyMac } from './format.ts'

/** Where a backup lies. Rejects for a file that is not there. */
export interface Origin {
  readonly read: (file: string) => Promise<ReadableStream<Uint8Array>>
}

const textOf = async (origin: Origin, file: string): Promise<string> =>
  await new Response(await origin.read(file)).text()

const notAuthentic = {
  invalid: 'The manifest was changed after the backup.',
  unknown_key:
    'The audit key of the manifest is not configured: set AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS as in the Worker.',
}

/** Rejects where the manifest was not written with one of these keys, or has another format. */
export async function openManifest(origin: Origin, keys: AuditKeys): Promise<Manifest> {
  const text = await textOf(origin, manifestName)
  const verified = await verifyMac(keys, text, await textOf(origin, macName))
  if (verified !== 'valid') throw new Error(notAuthentic[verified])
  const manifest = manifestSchema.safeParse(JSON.parse(text))
  if (!manifest.success) throw new Error('The manifest has a format that this version does not know.')
  return manifest.data
}

/** Rejects where a file is missing or is not the one that the manifest lists. Decrypts nothing. */
export async function checkFiles(origin: Origin, manifest: Manifest, startSha256: () => Digest): Promise<void> {
  for (const { file, sha256 } of manifest.tables) {
    const digest = startSha256()
    for await (const chunk of await origin.read(file)) digest.update(chunk)
    if (digest.finish() !== sha256) throw new Error(`The file ${file} is not the one that the manifest lists.`)
  }
}

export function decrypterFor(identities: readonly string[]): Decrypter {
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  return decrypter
}

/** The same bytes in buffers that are not shared, which is what a decompressor's type asks for. */
const copied = (): TransformStream<Uint8Array, Bytes> =>
  new TransformStream({ transform: (chunk, controller) => controller.enqueue(new Uint8Array(chunk)) })

/** Rejects where none of the identities decrypts the backup. Reads the beginning of one file. */
export async function refuseForeign(
  origin: Origin,
  { tables }: Manifest,
  identities: readonly string[],
): Promise<void> {
  const [first] = tables
  if (first === undefined) throw new Error('The manifest lists no table.')
  const decrypted = await decrypterFor(identities).decrypt(await origin.read(first.file))
  await decrypted.cancel()
}

export interface ReadTable {
  readonly origin: Origin
  readonly table: TableEntry
  readonly decrypter: Decrypter
  readonly startSha256: () => Digest
}

/**
 * The lines of a table, in batches of about this many characters. Throws after the last batch where the rows differ from
 * the manifest: use the rows only when the generator has ended.
 */
export async function* readTable(
  { origin, table, decrypter, startSha256 }: ReadTable,
  batchCharacters: number,
): AsyncGenerator<string[]> {
  const rows = startSha256()
  const decrypted = await decrypter.decrypt(await origin.read(table.file))
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest = ''
  let batch: string[] = []
  let characters = 0
  let count = 0
  const compressed = decrypted.pipeThrough(copied())
  for await (const chunk of compressed.pipeThrough(new DecompressionStream('gzip'))) {
    rows.update(chunk)
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      batch.push(line)
      characters += line.length
      count += 1
      if (characters < batchCharacters) continue
      yield batch
      batch = []
      characters = 0
    }
  }
  if (batch.length > 0) yield batch
  if (rest !== '' || count !== table.rows || rows.finish() !== table.rows_sha256)
    throw new Error(`The rows of ${table.file} are not the ones that the manifest lists: ${count} of ${table.rows}.`)
}
