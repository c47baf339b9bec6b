// `npm run backup`: encrypted backups of MIGRATE_DATABASE_URL's database, and their restoration. docs/disaster-recovery.md
// describes the format and when to use what. Each action loads what it needs: a process keeps the memory of its imports.
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import type { Client } from 'pg'
import type { AuditKeys } from '../audit/keys.ts'
import { createBackup } from '../backup/create-backup.ts'
import { backupId, backupTime, bytesOf, type Manifest, rowsOf, type TableEntry } from '../backup/format.ts'
import { checkFiles, openManifest, refuseForeign } from '../backup/open-backup.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import type { BucketOptions } from './backup/bucket-source.ts'
import { identitiesOf, recipients } from './backup/environment.ts'
import { folderOrigin, listBackups, openNewBackup } from './backup/folder.ts'
import type { PeopleOptions } from './backup/people.ts'
import { recordCreated, recordRestored, recordSettled } from './backup/record.ts'
import { startSha256 } from './backup/sha256.ts'
import { adminApi } from './lib/admin-api.ts'
import { auditKeysOf } from './lib/audit-keys.ts'
import { withConnection } from './lib/owner-connection.ts'

const help = `npm run backup -- create --to FOLDER
npm run backup -- list --to FOLDER
npm run backup -- fetch --bucket NAME|--local FOLDER --to FOLDER [--id ID]
npm run backup -- verify BACKUP --identity KEYFILE [--record] [--url URL]
npm run backup -- restore BACKUP --identity KEYFILE --into URL [--bucket NAME|--local FOLDER] [--erasures FILE]
                          [--however-old]
npm run backup -- settle --into URL --bucket NAME|--local FOLDER|--erasures FILE [--however-old] [--again]
npm run backup -- cleanup --to FOLDER [--days 30]

create writes one snapshot of MIGRATE_DATABASE_URL's database, encrypted with age for BACKUP_RECIPIENT.
list prints the backups in a folder, oldest first.
fetch copies a backup that the Worker made from its bucket, the newest by default, and the list of erasures.
  --bucket NAME   CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN are those that wrangler takes
  --local FOLDER  from the state of a local Worker: DATA_DIR/worker/state
verify restores a backup into a temporary database and compares every row with the manifest.
  --record  reports it to the Worker, which shows the last verified backup at /api/v1/admin/backups; ADMIN_TOKEN is an
            administrator's access token, --url the Worker (http://127.0.0.1:8787, or PORT's)
restore loads a backup into an empty database and makes that ready for a Worker. URL is its owner's. Who was erased
since is erased again: by the list that fetch has left in BACKUP less than a day ago, or by these:
  --bucket NAME, --local FOLDER  the list that the bucket has now; for a backup older than 30 days, only with --erasures
                   and a list of the last 30 days
  --erasures FILE  a list that 'npm run -s erasure -- list' has written, without a bucket less than a day ago; 'none'
                   for no one; 'fetched' for the list in BACKUP, however old, unless the bucket is named too
  --however-old    takes FILE without a bucket also if it is older than a day, or has no time: who was erased since
                   is back
settle does the same to a database that its provider has put back to an earlier state: it loads nothing.
  --again  also if it was settled within a day
cleanup deletes backups that are older than --days. The newest one always stays.
AUDIT_KEY, AUDIT_KEY_ID and AUDIT_KEYS_PREVIOUS are the Worker's; they authenticate the manifest. The age key file must
never be on the server.`

const accepted = {
  to: { type: 'string' },
  identity: { type: 'string' },
  into: { type: 'string' },
  erasures: { type: 'string' },
  days: { type: 'string', default: '30' },
  bucket: { type: 'string' },
  id: { type: 'string' },
  local: { type: 'string' },
  record: { type: 'boolean', default: false },
  again: { type: 'boolean', default: false },
  'however-old': { type: 'boolean', default: false },
  url: { type: 'string' },
} as const

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const summary = (manifest: Manifest): string =>
  `${manifest.tables.length} tables, rows: ${rowsOf(manifest)}, ${(bytesOf(manifest) / 1e6).toFixed(1)} MB`

/** Authenticate manifests: an attacker who can write to the folder cannot substitute another backup. */
const auditKeys = (): AuditKeys => auditKeysOf(process.env)

async function create(folder: string): Promise<void> {
  const now = new Date()
  const id = backupId(now, randomBytes(4))
  const given = { recipients: recipients(process.env), keys: auditKeys(), now, id, startSha256 }
  const { destination, finish, discard } = await openNewBackup(folder, id)
  try {
    const manifest = await withConnection(ownerUrl(), 'backup', (connection) =>
      createBackup({ ...given, connection, destination }),
    )
    print(`${await finish()}: ${summary(manifest)}`)
    await withConnection(ownerUrl(), 'backup', (client) => recordCreated(client, given.keys, manifest))
  } catch (error) {
    await discard()
    throw error
  }
}

interface FetchOptions extends BucketOptions {
  readonly id?: string | undefined
}

async function fetchInto(to: string, options: FetchOptions): Promise<void> {
  const keys = auditKeys()
  const [{ withBucket }, { fetchBackup }] = await Promise.all([
    import('./backup/bucket-source.ts'),
    import('./backup/fetch.ts'),
  ])
  print(await withBucket(options, (source) => fetchBackup({ source, id: options.id, to, keys })))
}

async function describeBackup(path: string, keys: AuditKeys): Promise<string> {
  try {
    return summary(await openManifest(folderOrigin(path), keys))
  } catch (error) {
    return `NOT USABLE. ${error instanceof Error ? error.message : String(error)}`
  }
}

async function list(folder: string): Promise<void> {
  const keys = auditKeys()
  for (const path of await listBackups(folder)) print(`${path}: ${await describeBackup(path, keys)}`)
}

/** Opens a backup and checks all of its files, before anything is restored. */
async function openChecked(path: string, identity: string | undefined) {
  const identities = await identitiesOf(identity)
  const origin = folderOrigin(path)
  const manifest = await openManifest(origin, auditKeys())
  await checkFiles(origin, manifest, startSha256)
  await refuseForeign(origin, manifest, identities)
  return { origin, manifest, identities }
}

interface VerifyOptions {
  readonly identity?: string | undefined
  readonly record: boolean
  readonly url?: string | undefined
}

async function verify(path: string, { identity, record, url }: VerifyOptions): Promise<void> {
  // A missing token is found before an hour of work.
  const call = record ? adminApi(url, process.env) : null
  const opened = await openChecked(path, identity)
  const { manifest } = opened
  const [{ startPostgres }, { loadBackup }, { differences }] = await Promise.all([
    import('../dev/postgres/server.ts'),
    import('./backup/load.ts'),
    import('./backup/compare.ts'),
  ])
  const server = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
  try {
    await loadBackup({ ...opened, into: server.url })
    const different = await withConnection(server.url, 'backup', (client) => differences(client, manifest))
    if (different.length > 0) throw new Error(`The restored rows differ in ${different.join(', ')}.`)
    print(`${path} can be restored: ${summary(manifest)}`)
    await call?.('POST', `/api/v1/admin/backups/${manifest.id}/verified`)
  } finally {
    await server.stop()
  }
}

interface RestoreOptions extends PeopleOptions {
  readonly identity?: string | undefined
  readonly into?: string | undefined
}

function intoUrl(into: string | undefined, which: string): string {
  if (into === undefined || URL.parse(into) === null)
    throw misuse(`Say with --into the owner's postgres:// URL of ${which}.`)
  return into
}

async function restore(path: string, options: RestoreOptions): Promise<void> {
  const into = intoUrl(options.into, 'an empty database')
  const keys = auditKeys()
  const { peopleToErase } = await import('./backup/people.ts')
  const people = await peopleToErase(options, path, keys)
  const opened = await openChecked(path, options.identity)
  const [{ loadBackup }, { settle }] = await Promise.all([import('./backup/load.ts'), import('./backup/settle.ts')])
  const onTable = ({ schema, name, rows }: TableEntry): void => print(`${schema}.${name}: rows ${rows}`)
  await loadBackup({ ...opened, into, onTable })
  const record = (client: Client): Promise<void> => recordRestored(client, keys, opened.manifest)
  for (const line of await settle(into, { people, record })) print(line)
  print(`Restored the backup of ${opened.manifest.created_at}. Every item will be synced again. Users sign in again.`)
}

async function settleRestored(options: RestoreOptions & { readonly again: boolean }): Promise<void> {
  const into = intoUrl(options.into, 'the database that was put back')
  const keys = auditKeys()
  const [{ peopleToErase }, { settleProvided }] = await Promise.all([
    import('./backup/people.ts'),
    import('./backup/settle.ts'),
  ])
  const people = await peopleToErase(options, null, keys)
  const record = (client: Client): Promise<void> => recordSettled(client, keys)
  for (const line of await settleProvided(into, options.again, { people, record })) print(line)
  print('The database is ready for a Worker. Every item will be synced again. Users sign in again.')
}

const dayMs = 86_400_000

/** The time in the name of a backup's folder. */
const createdAtMs = (path: string): number => backupTime(basename(path)).getTime()

async function cleanup(folder: string, daysText: string): Promise<void> {
  const days = Number(daysText)
  if (!Number.isInteger(days) || days < 1) throw misuse('--days must be a whole number of days, at least 1.')
  const older = (await listBackups(folder)).slice(0, -1).filter((path) => createdAtMs(path) < Date.now() - days * dayMs)
  for (const path of older) {
    await rm(path, { recursive: true })
    print(`deleted ${path}`)
  }
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args, options: accepted, allowPositionals: true })
  const [action, path, ...others] = positionals
  const usesPath = action === 'verify' || action === 'restore'
  if (others.length > 0 || (path !== undefined && !usesPath)) throw misuse('There are too many arguments.')
  if (usesPath) {
    if (path === undefined) throw misuse('Name the folder of one backup.')
    return action === 'verify' ? verify(path, values) : restore(path, values)
  }
  if (action === 'settle') return settleRestored(values)
  if (action !== 'create' && action !== 'list' && action !== 'cleanup' && action !== 'fetch')
    throw misuse('Name one of create, list, fetch, verify, restore, settle and cleanup.')
  if (values.to === undefined) throw misuse('Say with --to which folder holds the backups.')
  if (action === 'create') return create(values.to)
  if (action === 'fetch') return fetchInto(values.to, values)
  return action === 'list' ? list(values.to) : cleanup(values.to, values.days)
}

if (import.meta.main) await runCommand(help, main)
