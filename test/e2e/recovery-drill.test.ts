// Rehearses docs/disaster-recovery.md: a deployment with a bucket is backed up, destroyed and restored, and its users have
// what their banks have. Runs each command of the page as it is written. Has a separate PostgreSQL server, because database
// logins belong to a whole server.
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { createAuditKeys } from '../../src/audit/keys.ts'
import { openManifest } from '../../src/backup/open-backup.ts'
import { identitiesOf } from '../../src/cli/backup/environment.ts'
import { folderOrigin } from '../../src/cli/backup/folder.ts'
import { loadBackup } from '../../src/cli/backup/load.ts'
import { parseAuditKeys } from '../../src/config/config.ts'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { hasAge } from '../support/backup-command.ts'
import { expectBooksEqual } from '../support/books.ts'
import { type RunningWorker, startBundle } from '../support/bundle.ts'
import { type BucketServer, startBucketServer } from '../support/cloudflare/bucket-server.ts'
import { type Databases, startDatabases } from '../support/databases.ts'
import { type DocumentedCommands, readCommands, type RunOptions } from '../support/documented-commands.ts'
import { type Edge, expectStatus, type Linked, startEdge } from '../support/edge.ts'
import { query } from '../support/sql.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

const bucketName = 'wealthnavigator-production-backups'
const newKey = () => randomBytes(32).toString('base64')

let folder: string
let state: string
let databases: Databases
let edge: Edge
let worker: RunningWorker
let bucket: BucketServer
let commands: DocumentedCommands
/** What the operator keeps in the vault. */
let vault: Readonly<Record<string, string>>
/** The owner's URL of the database that serves. */
let ownerUrl: string

const administrator = () =>
  mintToken({
    secret: String(edge.variables['SECRET_KEY']),
    claims: { ...goodClaims('operator'), role: 'admin' },
  })

/** Runs a command of the page with the operator's values and secrets. Returns what it prints. */
async function run(command: string, { values = {}, env = {} }: RunOptions = {}): Promise<string> {
  const fixed = {
    'wealthnavigator-ENV-backups': bucketName,
    'backup-key.txt': join(folder, 'backup-key.txt'),
    '.data/backup-key.txt': join(folder, 'backup-key.txt'),
    '.data/worker/state': state,
    '/tmp/backups': join(folder, 'local-backups'),
    '/backups': join(folder, 'backups'),
    'erasures.jsonl': join(folder, 'erasures.jsonl'),
    '.secrets.': join(folder, '.secrets.'),
    'https://api.example.com': edge.url,
  }
  const given = {
    MIGRATE_DATABASE_URL: ownerUrl,
    ADMIN_TOKEN: administrator(),
    PORT: String(edge.port),
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: folder,
    ...bucket.environment,
    ...vault,
    ...env,
  }
  const { code, output } = await commands.run(command, { values: { ...fixed, ...values }, env: given })
  expect([command, code, code === 0 ? '' : output]).toEqual([command, 0, ''])
  return output
}

/** The commands that need Debian's package `age`. */
const ofAge = [
  'age-keygen -o backup-key.txt',
  'age --decrypt --identity backup-key.txt public.transactions.jsonl.gz.age | gunzip',
]

/** Makes the key pair of the backups, and returns the public key. */
async function createKeyPair(): Promise<string> {
  const path = join(folder, 'backup-key.txt')
  if (!hasAge) {
    const identity = await generateIdentity()
    await writeFile(path, `${identity}\n`, { mode: 0o600 })
    return await identityToRecipient(identity)
  }
  expect(await commands.run('age-keygen -o backup-key.txt', { values: { 'backup-key.txt': path } })).toMatchObject({
    code: 0,
  })
  return /^# public key: (age1\S+)$/m.exec(await readFile(path, 'utf8'))?.[1] ?? ''
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-recovery-'))
  state = join(folder, 'state')
  commands = await readCommands('docs/disaster-recovery.md')
  vault = { AUDIT_KEY: newKey(), BACKUP_RECIPIENT: await createKeyPair() }
  databases = await startDatabases(undefined, () => 'pass')
  edge = await startEdge({
    database: await databases.create(),
    variables: { SECRET_KEY: newKey(), ENCRYPTION_KEY: newKey(), ...vault },
    start: async ({ bindings, port }) => {
      worker = await startBundle({ bindings, port, stateFolder: state })
      return { ...worker, dispose: () => worker.dispose(), logs: () => worker.logs() }
    },
  })
  ownerUrl = edge.database.ownerUrl
  bucket = await startBucketServer(state, bucketName)
}, 240_000)
afterAll(async () => {
  await bucket.stop()
  await edge.stop()
  await databases.stop()
  await rm(folder, { recursive: true, force: true })
})

const execute = async (url: string, statement: string): Promise<void> => {
  const client = new Client(url)
  await client.connect()
  await client.query(statement)
  await client.end()
}
const urlOf = (name: string): string => Object.assign(new URL(ownerUrl), { pathname: `/${name}` }).href
async function createEmpty(name: string): Promise<string> {
  await execute(urlOf('postgres'), `create database ${name}`)
  return urlOf(name)
}
const sqlOf = (url: string) => (text: string) => query(edge.database.endpoint, url, text)

const users: Record<string, Linked> = {}
let backupId: string
/** Of the person who is erased after the backup. */
let leaverToken: string
const holders = () =>
  ['saver', 'neighbour'].map((name) => ({ token: edge.token(name), plaidItemId: users[name]?.plaidItemId ?? '' }))
const deployment = () => ({ url: edge.url, simulatorUrl: edge.simulator.url })
const ids = () => ({ '20261129T021100Z-5f0c8a1e': backupId, '20261129T020000Z-5f0c8a1e': backupId })

test('the Worker’s backup is fetched from the bucket, and verified', async () => {
  users['saver'] = await edge.linkAndSync('saver', { username: 'user_rare_values' })
  users['neighbour'] = await edge.linkAndSync('neighbour')
  users['leaver'] = await edge.linkAndSync('leaver')
  leaverToken = edge.token('leaver')
  expect(await expectBooksEqual(deployment(), holders())).toBeGreaterThan(100)
  expect(await run('npm run cron -- backup')).toContain('backup done')
  expect([200, 202]).toContain((await edge.as('leaver')('POST', '/api/v1/privacy/erase', { body: {} })).status)
  await run('npm run -s erasure -- list > erasures.jsonl')
  expect((await readFile(join(folder, 'erasures.jsonl'), 'utf8')).trimEnd().split('\n').slice(1)).toHaveLength(1)

  backupId = basename(
    (await run('npm run backup -- fetch --bucket wealthnavigator-ENV-backups --to /backups')).trimEnd(),
  )
  const verified = await run(
    'npm run backup -- verify /backups/20261129T021100Z-5f0c8a1e --identity backup-key.txt --record --url https://api.example.com',
    { values: ids() },
  )
  expect(verified).toContain('can be restored')
  const answer = await edge.callTo(edge.url, administrator())('GET', '/api/v1/admin/backups')
  const { last_verified: last } = z
    .object({ last_verified: z.object({ id: z.string() }) })
    .parse(expectStatus(answer, 200).json())
  expect(last.id).toBe(backupId)

  const local = basename((await run('npm run backup -- fetch --local .data/worker/state --to /tmp/backups')).trimEnd())
  expect(local).toBe(backupId)
  const command = 'npm run backup -- verify /tmp/backups/20261129T021100Z-5f0c8a1e --identity .data/backup-key.txt'
  expect(await run(command, { values: ids() })).toContain('can be restored')
}, 240_000)

test('the audit trail is verified against a checkpoint of the bucket', async () => {
  await fireCron(edge.url, cronSchedules.audit)
  const day = new Date().toISOString().slice(0, 10)
  const command = 'npx wrangler r2 object get wealthnavigator-ENV-backups/checkpoints/DAY.json --remote --pipe'
  const { checkpoint } = z
    .looseObject({ checkpoint: z.string() })
    .parse(JSON.parse(await run(command, { values: { DAY: day } })))
  const verified = await run('npm run audit -- verify --checkpoint 1204:5f0c8a1e…', {
    values: { '1204:5f0c8a1e…': checkpoint },
  })
  expect(verified).toContain('valid: ')
})

test.runIf(hasAge)('a table is read without this project', async () => {
  const file = 'public.transactions.jsonl.gz.age'
  const command = 'age --decrypt --identity backup-key.txt public.transactions.jsonl.gz.age | gunzip'
  const read = await run(command, { values: { [file]: join(folder, 'backups', backupId, file) } })
  const [row] = await edge.sql('select count(*) as n from transactions')
  // And those of the person who was erased after the backup.
  expect(read.trimEnd().split('\n').length).toBeGreaterThan(Number(row?.['n']))
})

test('backups are created, listed and cleaned up on another machine', async () => {
  expect(await run('npm run backup -- create --to /backups')).toMatch(/tables, rows: \d+/)
  const listed = await run('npm run backup -- list --to /backups')
  expect(listed.match(/tables, rows: \d+/g)).toHaveLength(2)
  expect(listed).not.toContain('NOT USABLE')
  await run('npm run backup -- cleanup --to /backups --days 30')
  expect(await readdir(join(folder, 'backups'))).toHaveLength(2)
})

test('a branch as Neon’s restore leaves it is settled', async () => {
  const branch = await createEmpty('wn_branch')
  const origin = folderOrigin(join(folder, 'backups', backupId))
  const manifest = await openManifest(origin, createAuditKeys(parseAuditKeys(vault)))
  await loadBackup({ origin, manifest, identities: await identitiesOf(join(folder, 'backup-key.txt')), into: branch })
  const settled = await run(
    'npm run backup -- settle --into postgres://owner:…@branch-host/db --bucket wealthnavigator-ENV-backups',
    { values: { 'postgres://owner:…@branch-host/db': branch }, env: { MIGRATE_DATABASE_URL: '' } },
  )
  expect(settled).toContain('Erasures that the Worker completes: 1.')
  const refuses = "select 1 from users where subject = 'leaver' and tokens_valid_from = 'infinity'"
  expect(await sqlOf(branch)(refuses)).toHaveLength(1)
})

const urlsSchema = z.record(z.string().regex(/^DATABASE_/), z.url())

test('a destroyed deployment is restored, and its users have what their banks have', async () => {
  const into = await createEmpty('wn_new')
  await worker.dispose()
  await databases.drop(edge.database.name)
  for (const name of ['saver', 'neighbour'])
    await edge.bank.change(users[name]?.plaidItemId ?? '', { add: 3, modify: 2, remove: 1, silent: true })

  const restored = await run(
    'npm run backup -- restore /backups/20261129T020000Z-5f0c8a1e --identity backup-key.txt --into postgres://owner:…@new-host/db --bucket wealthnavigator-ENV-backups',
    {
      values: { ...ids(), 'postgres://owner:…@new-host/db': into },
      env: { MIGRATE_DATABASE_URL: '' },
    },
  )
  expect(restored).toContain('Erasures that the Worker completes: 1.')
  ownerUrl = into
  await run('npm run -s db:bootstrap > .secrets.logins.json')
  const logins = urlsSchema.parse(JSON.parse(await readFile(join(folder, '.secrets.logins.json'), 'utf8')))
  expect(Object.keys(logins)).toHaveLength(4)
  worker = await startBundle({
    bindings: { ...edge.variables, ...logins },
    port: edge.port,
    stateFolder: state,
  })
  expectStatus(await edge.call('GET', '/ready'), 200)
  await fireCron(edge.url, cronSchedules.sweep)
  expect(await expectBooksEqual(deployment(), holders())).toBeGreaterThan(100)

  expect((await edge.callTo(edge.url, leaverToken)('GET', '/api/v1/plaid/items')).status).toBe(401)
  await vi.waitFor(
    async () => {
      await fireCron(edge.url, cronSchedules.sweep)
      expect(await sqlOf(into)('select subject from users order by subject')).toEqual([
        { subject: 'neighbour' },
        { subject: 'saver' },
      ])
    },
    { timeout: 60_000, interval: 1000 },
  )
}, 240_000)

test('every command of the page has run as it is written', async () => {
  await run('npm run -s erasure -- list')
  expect(commands.left()).toEqual(hasAge ? [] : ofAge)
})
