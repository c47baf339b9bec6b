// Writes a backup: each table from one snapshot, compressed, encrypted with age for every recipient, then the manifest.
import { Encrypter } from 'age-encryption'
import * as z from 'zod'
import { listSequences, listTables, newestMigration, type Table } from './catalog.ts'
import { type Connection, select } from './connection.ts'
import type { AuditKeys } from '../audit/keys.ts'
import { type Bytes, utf8 } from '../crypto/encoding.ts'
import { macName, macOf, type Manifest, manifestName, type TableEntry } from './format.ts'
import { beginSnapshot, readRows } from './read-rows.ts'

export interface Digest {
  readonly update: (bytes: Uint8Array) => void
  /** Hexadecimal. */
  readonly finish: () => string
}

/** Where a backup goes: a folder, or a prefix of a bucket. */
export interface Destination {
  /** Stores a file and resolves when it is durable. */
  readonly write: (file: string, content: ReadableStream<Uint8Array>) => Promise<void>
}

export interface CreateBackup {
  readonly connection: Connection
  readonly recipients: readonly string[]
  /** Authenticate the manifest. */
  readonly keys: AuditKeys
  readonly now: Date
  readonly startSha256: () => Digest
  readonly id: string
  readonly destination: Destination
  /** Called before each page of rows; throws where there is no time for another one. */
  readonly checkTime?: () => void
}

/** Passes bytes on and counts and hashes them. */
function measured(digest: Digest): { stream: TransformStream<Uint8Array, Uint8Array>; bytes: () => number } {
  let bytes = 0
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      bytes += chunk.length
      digest.update(chunk)
      controller.enqueue(chunk)
    },
  })
  return { stream, bytes: () => bytes }
}

function encrypterFor(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter()
  for (const recipient of recipients) encrypter.addRecipient(recipient)
  return encrypter
}

async function writeTable(
  { connection, startSha256, destination, checkTime }: CreateBackup,
  table: Table,
  encrypter: Encrypter,
): Promise<TableEntry> {
  const pages = readRows(connection, table)
  const content = startSha256()
  let rows = 0
  const source = new ReadableStream<Bytes>({
    pull: async (controller) => {
      checkTime?.()
      const { value, done } = await pages.next()
      if (done === true) return controller.close()
      rows += value.rows
      const bytes = utf8(value.text)
      content.update(bytes)
      controller.enqueue(bytes)
    },
  })
  const stored = startSha256()
  const { stream, bytes } = measured(stored)
  const file = `${table.schema}.${table.name}.jsonl.gz.age`
  const encrypted = await encrypter.encrypt(source.pipeThrough(new CompressionStream('gzip')))
  await destination.write(file, encrypted.pipeThrough(stream))
  return {
    schema: table.schema,
    name: table.name,
    columns: table.columns,
    file,
    rows,
    bytes: bytes(),
    sha256: stored.finish(),
    rows_sha256: content.finish(),
  }
}

const streamOf = (text: string): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(utf8(text))
      controller.close()
    },
  })

const versionRow = z.object({ server_version: z.string() })

/** Creates one backup. The manifest is written last: a folder without one is not a backup. */
export async function createBackup(given: CreateBackup): Promise<Manifest> {
  const { connection, recipients, keys, now, id, destination } = given
  const encrypter = encrypterFor(recipients)
  await beginSnapshot(connection)
  const [version] = await select(connection, versionRow, 'show server_version')
  const tables: TableEntry[] = []
  for (const table of await listTables(connection)) tables.push(await writeTable(given, table, encrypter))
  const manifest: Manifest = {
    format: 1,
    product: 'wealthnavigator-edge',
    id,
    created_at: now.toISOString(),
    server_version: version?.server_version ?? '',
    migration: await newestMigration(connection),
    recipients: [...recipients],
    tables,
    sequences: await listSequences(connection),
  }
  await connection.query('commit')
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  await destination.write(macName, streamOf(await macOf(keys, text)))
  await destination.write(manifestName, streamOf(text))
  return manifest
}
