// The Worker's own backups: the cron writes into the bucket, and the commands read what it wrote.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { callFor, tokenFor } from '../support/administrator.ts'
import { emptyDatabases, hasAge, runBackupCommand } from '../support/backup-command.ts'
import { startBundle } from '../support/bundle.ts'
import { type Edge, expectStatus, startEdge } from '../support/edge.ts'
import { query } from '../support/sql.ts'
import { fingerprint } from '../support/tables.ts'
import { runsLongProofs } from '../support/sampled.ts'

const run = promisify(execFile)
const bucket = 'wealthnavigator-backups'

let edge: Edge
let folder: string
let state: string
let keyFile: string
let environment: NodeJS.ProcessEnv
const databases = emptyDatabases(() => edge.database.ownerUrl)

const backup = (args: readonly string[], changed: NodeJS.ProcessEnv = {}) =>
  runBackupCommand(args, { ...environment, ...changed })

const backupsPath = '/api/v1/admin/backups'
const backupSchema = z.object({
  id: z.string(),
  place: z.string(),
  state: z.string(),
  rows: z.int().nullable(),
  bytes: z.int().nullable(),
  verified_at: z.string().nullable(),
})
const statesSchema = z.object({
  enabled: z.boolean(),
  overdue: z.boolean(),
  last_backup: backupSchema.nullable(),
  last_verified: backupSchema.nullable(),
  data: z.array(backupSchema),
})

async function states(): Promise<z.output<typeof statesSchema>> {
  const answer = await callFor(edge, { path: backupsPath }, 'operator')('GET', backupsPath)
  return statesSchema.parse(expectStatus(answer, 200).json())
}

/** Copies the newest backup out of the bucket, and returns its path. */
async function fetchNewest(): Promise<string> {
  const place = await mkdtemp(join(folder, 'fetched-'))
  const fetched = await backup(['fetch', '--local', state, '--to', place])
  expect(fetched).toEqual({ code: 0, output: expect.stringContaining(place) })
  return fetched.output.trim()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bucket-'))
  state = join(folder, 'state')
  keyFile = join(folder, 'key.txt')
  const identity = await generateIdentity()
  await writeFile(keyFile, `${identity}\n`)
  const shared = {
    AUDIT_KEY: randomBytes(32).toString('base64'),
    BACKUP_RECIPIENT: `${await identityToRecipient(identity)},${await identityToRecipient(await generateIdentity())}`,
  }
  edge = await startEdge({
    variables: shared,
    start: ({ bindings, port }) => startBundle({ bindings, port, stateFolder: state }),
  })
  environment = { PATH: process.env['PATH'], MIGRATE_DATABASE_URL: edge.database.ownerUrl, ...shared }
  await edge.linkAndSync('saver')
  // More than two parts of an upload, also when it is compressed.
  await edge.sql(
    `insert into dead_letters (queue, message_id, reason, payload)
      select 'q', n::text, 'r', jsonb_build_object('text', (select string_agg(encode(sha256((n * 40 + i)::text::bytea), 'hex'), '')
        from generate_series(1, 40) i)) from generate_series(1, 9000) n`,
  )
}, 240_000)
afterAll(async () => {
  await databases.dropAll()
  await edge.stop()
  await rm(folder, { recursive: true, force: true })
})

test('the cron writes a backup that the commands fetch, verify and restore', async () => {
  expect(await states()).toMatchObject({ enabled: true, last_backup: null, last_verified: null, data: [] })
  const original = await fingerprint(edge.sql)
  await fireCron(edge.url, cronSchedules.backup)

  const { last_backup: last, data } = await states()
  expect(data).toEqual([last])
  expect(last).toMatchObject({ place: 'bucket', state: 'complete', verified_at: null })
  expect(last?.bytes).toBeGreaterThan(11 * 1024 * 1024)
  const written = edge.lines().filter((line) => line.includes('"backup_created"'))
  expect(written).toEqual([expect.stringContaining(`"target_id":"${last?.id}"`)])

  const path = await fetchNewest()
  expect(basename(path)).toBe(last?.id)
  const token = { ADMIN_TOKEN: tokenFor(edge, { path: backupsPath }, 'operator') }
  const verified = await backup(['verify', path, '--identity', keyFile, '--record', '--url', edge.url], token)
  expect(verified).toEqual({ code: 0, output: expect.stringContaining('can be restored') })
  expect((await states()).last_verified).toMatchObject({ id: last?.id, verified_at: expect.any(String) })
  const recorded = await edge.sql(`select action, actor_kind from audit_log where target_id = $1 order by at`, [
    String(last?.id),
  ])
  expect(recorded).toEqual([
    { action: 'backup_created', actor_kind: 'cron' },
    { action: 'backup_verified', actor_kind: 'admin' },
  ])

  const into = await databases.create()
  const restored = await backup(['restore', path, '--identity', keyFile, '--into', into, '--erasures', 'none'])
  expect(restored).toEqual({ code: 0, output: expect.stringContaining('Restored the backup') })
  const sql = (text: string) => query(edge.database.endpoint, into, text)
  const after = await fingerprint(sql)
  // Counters that the digest leaves out, because the Worker writes them at any time.
  const [counters] = await sql('select count(*) as n from plaid_usage')
  const rows = Object.entries(original)
    // The manifest names the migration instead.
    .filter(([table]) => table !== 'drizzle.__drizzle_migrations')
    .reduce((sum, [, entry]) => sum + Number(entry.split(' ')[0]), Number(counters?.['n']))
  expect(rows).toBeGreaterThan(9000)
  // And the row that says that this backup runs.
  expect(last?.rows).toBe(rows + 1)
  // A restoration changes these, and records itself.
  expect(
    Object.keys(original)
      .filter((table) => original[table] !== after[table])
      .toSorted(),
  ).toEqual([
    'public.audit_log',
    'public.audit_unchained',
    'public.backups',
    'public.item_products',
    'public.safety_switches',
    'public.users',
  ])
  expect(await sql('select id, state from backups')).toEqual([{ id: last?.id, state: 'complete' }])
})

test.runIf(runsLongProofs())(
  'someone who was erased after the backup does not come back from what the bucket has',
  async () => {
    const leaver = await edge.linkAndSync('leaver')
    await fireCron(edge.url, cronSchedules.backup)
    const answer = await edge.as('leaver')('POST', '/api/v1/privacy/erase', { body: {} })
    expect([200, 202]).toContain(answer.status)
    const path = await fetchNewest()
    // The database is gone: nothing but the bucket and the keys is left.
    const args = ['restore', path, '--identity', keyFile]
    const alone = { MIGRATE_DATABASE_URL: '' }
    for (const more of [[], ['--local', state]]) {
      const into = await databases.create()
      const restored = await backup([...args, '--into', into, ...more], alone)
      expect(restored).toEqual({ code: 0, output: expect.stringContaining('Erasures that the Worker completes: 1.') })
      const sql = (text: string) => query(edge.database.endpoint, into, text)
      expect(await sql(`select 1 from items where plaid_item_id = '${leaver.plaidItemId}'`)).toHaveLength(1)
      const name = new URL(into).pathname
      const worker = await edge.startAnother({
        DATABASE_URL: Object.assign(new URL(edge.database.apiUrl), { pathname: name }).href,
        DATABASE_JOBS_URL: Object.assign(new URL(edge.database.jobsUrl), { pathname: name }).href,
      })
      expect((await edge.callTo(worker.url, edge.token('leaver'))('GET', '/api/v1/plaid/items')).status).toBe(401)
      await vi.waitFor(
        async () => {
          await fireCron(worker.url, cronSchedules.sweep)
          expect(await sql('select subject from users')).toEqual([{ subject: 'saver' }])
        },
        { timeout: 60_000, interval: 1000 },
      )
    }
  },
)

test.runIf(hasAge)('Debian’s age opens a file of the bucket', async () => {
  await fireCron(edge.url, cronSchedules.backup)
  const path = await fetchNewest()
  const file = join(path, 'public.dead_letters.jsonl.gz.age')
  const { stdout } = await run('sh', ['-c', `age --decrypt --identity '${keyFile}' '${file}' | gunzip | wc -l`])
  expect(Number(stdout)).toBe(9000)
})

test('a backup that was changed in the bucket is not fetched', async () => {
  const { last_backup: last } = await states()
  const object = `${bucket}/backups/${last?.id}/manifest.json`
  const changed = join(folder, 'manifest.json')
  await writeFile(changed, '{}')
  const wrangler = join(projectFolder, 'node_modules', '.bin', 'wrangler')
  await run(wrangler, ['r2', 'object', 'put', object, '--file', changed, '--local', '--persist-to', state], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'], CI: '1', WRANGLER_SEND_METRICS: 'false' },
  })
  const place = await mkdtemp(join(folder, 'refused-'))
  const refused = await backup(['fetch', '--local', state, '--to', place])
  expect(refused).toEqual({ code: 1, output: expect.stringContaining('The manifest was changed') })
  expect(await readdir(place)).toEqual([])
})
