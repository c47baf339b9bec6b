// The command `backup` on a real database: what it writes, what a restored database is, and what it refuses.
import { exec, execFile } from 'node:child_process'
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { openManifest } from '../../src/backup/open-backup.ts'
import { createAuditKeys } from '../../src/audit/keys.ts'
import { parseAuditKeys } from '../../src/config/config.ts'
import { identitiesOf } from '../../src/cli/backup/environment.ts'
import { folderOrigin } from '../../src/cli/backup/folder.ts'
import { loadBackup } from '../../src/cli/backup/load.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { emptyDatabases, hasAge, runBackupCommand } from '../support/backup-command.ts'
import { expectBooksEqual } from '../support/books.ts'
import type { RunningWorker } from '../support/bundle.ts'
import { type Edge, expectStatus, type Linked, startEdge } from '../support/edge.ts'
import { query } from '../support/sql.ts'
import { fingerprint } from '../support/tables.ts'
import { bankTransactions, readTransactions } from '../support/truth.ts'

const run = promisify(execFile)
const waitMs = 60_000
const transactions = 'public.transactions.jsonl.gz.age'

let edge: Edge
let folder: string
let keyFile: string
let environment: NodeJS.ProcessEnv
let linked: Linked
/** A backup of the database, and the digest of each table at that time. */
let taken: string
let original: Record<string, string>
const databases = emptyDatabases(() => edge.database.ownerUrl)

const backup = (args: readonly string[], changed: NodeJS.ProcessEnv = {}) =>
  runBackupCommand(args, { ...environment, ...changed })

const urlOf = (url: string, name: string): string => Object.assign(new URL(url), { pathname: `/${name}` }).href

/** Another Worker on a restored database. */
const startOn = async (into: string): Promise<RunningWorker> => {
  const name = new URL(into).pathname.slice(1)
  return await edge.startAnother({
    DATABASE_URL: urlOf(edge.database.apiUrl, name),
    DATABASE_JOBS_URL: urlOf(edge.database.jobsUrl, name),
  })
}

/** Creates a backup in a new folder, and returns its path. */
async function create(): Promise<string> {
  const place = await mkdtemp(join(folder, 'backups-'))
  const { code, output } = await backup(['create', '--to', place])
  expect([code, output]).toEqual([0, expect.stringMatching(/tables, rows: \d+/)])
  const [id] = await readdir(place)
  return join(place, String(id))
}

const manifestSchema = z.looseObject({
  tables: z.array(
    z.looseObject({ schema: z.string(), name: z.string(), file: z.string(), rows: z.number(), sha256: z.string() }),
  ),
})
const manifestOf = async (path: string) =>
  manifestSchema.parse(JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8')))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-backup-'))
  edge = await startEdge()
  linked = await edge.linkAndSync('saver')
  keyFile = join(folder, 'key.txt')
  const identity = await generateIdentity()
  await writeFile(keyFile, `# a test key\n${identity}\n`)
  environment = {
    PATH: process.env['PATH'],
    MIGRATE_DATABASE_URL: edge.database.ownerUrl,
    AUDIT_KEY: randomBytes(32).toString('base64'),
    BACKUP_RECIPIENT: await identityToRecipient(identity),
  }
  original = await fingerprint(edge.sql)
  taken = await create()
}, 240_000)
afterAll(async () => {
  await databases.dropAll()
  await edge.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A copy of the backup, to be changed. */
async function copyOf(path: string): Promise<string> {
  const copy = join(await mkdtemp(join(folder, 'changed-')), basename(path))
  await cp(path, copy, { recursive: true })
  return copy
}

const edit = async (path: string, file: string, change: (text: string) => string): Promise<void> =>
  await writeFile(join(path, file), change(await readFile(join(path, file), 'utf8')))

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

const lengthPrefixed = (fields: readonly string[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(Buffer.byteLength(field))
      return [length, Buffer.from(field)]
    }),
  )

/** The text of `manifest.mac` by the rule in docs/disaster-recovery.md. */
function documentedMac(manifest: string): string {
  const info = 'wealthnavigator-edge/audit-backup'
  const secret = Buffer.from(String(environment['AUDIT_KEY']), 'base64')
  const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32))
  const mac = createHmac('sha256', key).update(lengthPrefixed(['backup', 'a1', '+', manifest]))
  return `a1 ${mac.digest('base64')}\n`
}

describe('a restored database', () => {
  test('has every row as it was', async () => {
    const into = await databases.create()
    const loaded = await backup(['restore', taken, '--identity', keyFile, '--into', into, '--erasures', 'none'])
    expect(loaded).toMatchObject({ code: 0 })
    const rows = async (url: string) => await fingerprint((text) => query(edge.database.endpoint, url, text))
    const [before, after] = [original, await rows(into)]
    const different = Object.keys(before).filter((table) => before[table] !== after[table])
    // A restoration changes these: every product is due, orphans are only reported, the change feed begins anew, and the
    // audit trail says that the database was restored.
    expect(different.toSorted()).toEqual([
      'public.audit_log',
      'public.audit_unchained',
      'public.item_products',
      'public.safety_switches',
      'public.users',
    ])
    expect(Object.keys(after).toSorted()).toEqual(Object.keys(before).toSorted())
    const state = (text: string) => query(edge.database.endpoint, into, text)
    expect(await state("select state from safety_switches where name = 'orphan_removal'")).toEqual([
      { state: 'report' },
    ])
    expect(await state("select actor_kind, target_id from audit_log where action = 'backup_restored'")).toEqual([
      { actor_kind: 'command', target_id: basename(taken) },
    ])
  })

  test('serves the users again, and syncs what happened at their banks since', async () => {
    const into = await databases.create()
    await edge.bank.change(linked.plaidItemId, { add: 3, silent: true })
    expect(await backup(['restore', taken, '--identity', keyFile, '--into', into, '--erasures', 'none'])).toMatchObject(
      { code: 0 },
    )

    const worker = await startOn(into)
    const restored = { as: (subject: string) => edge.callTo(worker.url, edge.token(subject)) }
    const before = await readTransactions(restored, 'saver')
    await fireCron(worker.url, cronSchedules.sweep)
    const held = await bankTransactions(edge, linked.plaidItemId)
    expect(held).toHaveLength(before.length + 3)
    await vi.waitFor(async () => expect(await readTransactions(restored, 'saver')).toEqual(held), { timeout: waitMs })
    // And the equality with which the demo ends: accounts, balances, transactions, holdings and liabilities.
    const holder = { token: edge.token('saver'), plaidItemId: linked.plaidItemId }
    const rows = await expectBooksEqual({ url: worker.url, simulatorUrl: edge.simulator.url }, [holder])
    expect(rows).toBeGreaterThan(held.length)
  })

  test('gives 410 to a client that has read changes after the backup', async () => {
    const into = await databases.create()
    expect(await backup(['restore', taken, '--identity', keyFile, '--into', into, '--erasures', 'none'])).toMatchObject(
      { code: 0 },
    )
    const worker = await startOn(into)
    const call = edge.callTo(worker.url, edge.token('saver'))
    for (const since of [1, 5_000_000])
      expect((await call('GET', `/api/v1/transactions/changes?since=${since}`)).status).toBe(410)
    const fromStart = expectStatus(await call('GET', '/api/v1/transactions/changes?since=0&limit=100'), 200).json()
    expect(z.object({ data: z.array(z.unknown()) }).parse(fromStart).data).toHaveLength(100)
  })

  test('erases again whom the list of erasures names, and keeps the others', async () => {
    const erased = await edge.linkAndSync('leaver')
    const place = await mkdtemp(join(folder, 'with-leaver-'))
    expect(await backup(['create', '--to', place])).toMatchObject({ code: 0 })
    const [id] = await readdir(place)
    // Issued after the user's row: only then does the token count as of this person.
    const answer = await edge.as('leaver')('POST', '/api/v1/privacy/erase', { body: {} })
    expect([200, 202]).toContain(answer.status)
    const list = join(folder, 'erasures.jsonl')
    const listed = await run(process.execPath, ['src/cli/erasure.ts', 'list'], { cwd: projectFolder, env: environment })
    await writeFile(list, listed.stdout)
    expect(listed.stdout.trimEnd().split('\n').slice(1)).toHaveLength(1)

    const into = await databases.create()
    const restored = await backup([
      'restore',
      join(place, String(id)),
      '--identity',
      keyFile,
      '--into',
      into,
      '--erasures',
      list,
    ])
    expect(restored).toEqual({ code: 0, output: expect.stringContaining('Erasures that the Worker completes: 1.') })
    const sql = (text: string) => query(edge.database.endpoint, into, text)
    expect(await sql(`select 1 from items where plaid_item_id = '${erased.plaidItemId}'`)).toHaveLength(1)
    const worker = await startOn(into)
    expect((await edge.callTo(worker.url, edge.token('leaver'))('GET', '/api/v1/plaid/items')).status).toBe(401)
    await vi.waitFor(
      async () => {
        await fireCron(worker.url, cronSchedules.sweep)
        expect(await sql('select 1 from erasures where completed_at is null')).toEqual([])
      },
      { timeout: waitMs, interval: 1000 },
    )
    expect(await sql('select subject from users')).toEqual([{ subject: 'saver' }])
    expect(await sql(`select 1 from items where plaid_item_id = '${erased.plaidItemId}'`)).toEqual([])
  })

  test('is refused where the database has a table already', async () => {
    const { code, output } = await backup([
      'restore',
      taken,
      '--identity',
      keyFile,
      '--into',
      edge.database.ownerUrl,
      '--erasures',
      'none',
    ])
    expect([code, output]).toEqual([1, expect.stringContaining('The database is not empty')])
  })
})

describe('a database that its provider has put back', () => {
  /** As Neon's restore window leaves it: the rows of an earlier time, and nothing else has happened to it. */
  async function putBack(path: string): Promise<string> {
    const into = await databases.create()
    const origin = folderOrigin(path)
    const keys = createAuditKeys(parseAuditKeys(environment))
    const manifest = await openManifest(origin, keys)
    await loadBackup({ origin, manifest, identities: await identitiesOf(keyFile), into })
    return into
  }

  test('serves the users again once it is settled, and does not bring back who was erased', async () => {
    const left = await edge.linkAndSync('mover')
    const place = await mkdtemp(join(folder, 'put-back-'))
    expect(await backup(['create', '--to', place])).toMatchObject({ code: 0 })
    const [id] = await readdir(place)
    expect([200, 202]).toContain((await edge.as('mover')('POST', '/api/v1/privacy/erase', { body: {} })).status)
    const list = join(folder, 'erased-since.jsonl')
    const listed = await run(process.execPath, ['src/cli/erasure.ts', 'list'], { cwd: projectFolder, env: environment })
    await writeFile(list, listed.stdout)

    const into = await putBack(join(place, String(id)))
    const sql = (text: string) => query(edge.database.endpoint, into, text)
    const settled = await backup(['settle', '--into', into, '--erasures', list])
    expect(settled).toEqual({ code: 0, output: expect.stringContaining('Erasures that the Worker completes: 1.') })
    expect(settled.output).toMatch(/Products to sync: [1-9]/)
    expect(await sql("select state from safety_switches where name = 'orphan_removal'")).toEqual([{ state: 'report' }])
    expect(await sql("select actor_kind, target_id from audit_log where action = 'backup_restored'")).toEqual([
      { actor_kind: 'command', target_id: null },
    ])

    const worker = await startOn(into)
    expect((await edge.callTo(worker.url, edge.token('mover'))('GET', '/api/v1/plaid/items')).status).toBe(401)
    const stale = '/api/v1/transactions/changes?since=5000000'
    expect((await edge.callTo(worker.url, edge.token('saver'))('GET', stale)).status).toBe(410)
    await vi.waitFor(
      async () => {
        await fireCron(worker.url, cronSchedules.sweep)
        expect(await sql(`select 1 from items where plaid_item_id = '${left.plaidItemId}'`)).toEqual([])
        expect(await sql("select 1 from users where subject = 'mover'")).toEqual([])
      },
      { timeout: waitMs, interval: 1000 },
    )
  })

  test('is settled once in a day, unless --again says that it was put back once more', async () => {
    const into = await putBack(taken)
    const sql = (text: string) => query(edge.database.endpoint, into, text)
    const feed = "select change_seq from users where subject = 'saver'"
    const settle = (...more: string[]) => backup(['settle', '--into', into, '--erasures', 'none', ...more])
    expect(await settle()).toMatchObject({ code: 0 })
    const once = await sql(feed)
    expect(await settle()).toEqual({ code: 1, output: expect.stringContaining('Say --again') })
    expect(await sql(feed)).toEqual(once)
    expect(await settle('--again')).toMatchObject({ code: 0 })
    expect(await sql(feed)).not.toEqual(once)
    expect(await sql("select count(*) as n from audit_log where action = 'backup_restored'")).toEqual([{ n: '2' }])
  })

  test('is refused where it has no tables, and stays empty', async () => {
    const into = await databases.create()
    const refused = await backup(['settle', '--into', into, '--erasures', 'none'])
    expect(refused).toEqual({ code: 1, output: expect.stringContaining('has no tables of this project') })
    expect(await query(edge.database.endpoint, into, "select 1 from pg_class where relname = 'users'")).toEqual([])
  })
})

describe('npm run backup -- verify', () => {
  test('restores the backup into a temporary database and compares every row', async () => {
    const { code, output } = await backup(['verify', taken, '--identity', keyFile])
    expect([code, output]).toEqual([0, expect.stringContaining('can be restored')])
  })

  const authenticManifest = async (copy: string, change: (text: string) => string): Promise<void> => {
    await edit(copy, 'manifest.json', change)
    await writeFile(join(copy, 'manifest.mac'), documentedMac(await readFile(join(copy, 'manifest.json'), 'utf8')))
  }
  test.each<[string, (copy: string) => Promise<void>, string]>([
    [
      'a changed manifest',
      (copy) => edit(copy, 'manifest.json', (text) => text.replace('"rows": ', '"rows": 1')),
      'manifest was changed',
    ],
    [
      'a MAC of another manifest',
      (copy) => writeFile(join(copy, 'manifest.mac'), documentedMac('{}')),
      'manifest was changed',
    ],
    ['a flipped bit', (copy) => flipByte(join(copy, transactions)), transactions],
    [
      'the file of another table',
      (copy) => cp(join(copy, 'public.accounts.jsonl.gz.age'), join(copy, transactions)),
      transactions,
    ],
    [
      'a truncated file',
      async (copy) => writeFile(join(copy, transactions), (await readFile(join(copy, transactions))).subarray(0, -200)),
      transactions,
    ],
    ['a missing file', (copy) => rm(join(copy, transactions)), transactions],
    [
      'a manifest of a newer version',
      (copy) => authenticManifest(copy, (text) => text.replace(/("created_at": )\d+/, '$199999999999999')),
      'newer version',
    ],
    [
      'rows other than those of the manifest',
      (copy) => authenticManifest(copy, (text) => text.replaceAll(/("rows_sha256": ")[0-9a-f]{8}/g, '$100000000')),
      'not the ones that the manifest lists',
    ],
    [
      'another format',
      (copy) => authenticManifest(copy, (text) => text.replace('"format": 1', '"format": 2')),
      'a format that this version does not know',
    ],
  ])('fails for %s', async (_, change, message) => {
    const copy = await copyOf(taken)
    await change(copy)
    const { code, output } = await backup(['verify', copy, '--identity', keyFile])
    expect([code, output]).toEqual([1, expect.stringContaining(message)])
  })

  test('fails with the identity of another key', async () => {
    const other = join(folder, 'other.txt')
    await writeFile(other, `${await generateIdentity()}\n`)
    expect(await backup(['verify', taken, '--identity', other])).toMatchObject({ code: 1 })
  })

  test('fails with another AUDIT_KEY', async () => {
    const other = { AUDIT_KEY: randomBytes(32).toString('base64') }
    const args = ['verify', taken, '--identity', keyFile]
    expect(await backup(args, other)).toEqual({ code: 1, output: expect.stringContaining('was changed') })
    const renamed = { AUDIT_KEY_ID: 'a2' }
    expect(await backup(args, renamed)).toEqual({ code: 1, output: expect.stringContaining('is not configured') })
  })
})

describe('the files of a backup', () => {
  test('are one per table, which the manifest lists with rows and digests', async () => {
    const { tables } = await manifestOf(taken)
    expect(tables.map(({ file }) => file).toSorted()).toEqual(
      (await readdir(taken)).filter((file) => file.endsWith('.age')).toSorted(),
    )
    for (const { file, sha256 } of tables)
      expect([
        file,
        createHash('sha256')
          .update(await readFile(join(taken, file)))
          .digest('hex'),
      ]).toEqual([file, sha256])
    const rowsOf = (table: string) => Number(original[table]?.split(' ')[0])
    const listed = tables.map(({ schema, name, rows }) => [`${schema}.${name}`, rows] as const)
    // Its counts can be written during the backup.
    const compared = listed.filter(([table]) => table !== 'public.plaid_usage')
    expect(compared).toHaveLength(listed.length - 1)
    expect(compared).toEqual(compared.map(([table]) => [table, rowsOf(table)]))
    expect(rowsOf('public.transactions')).toBeGreaterThan(0)
  })

  test('hold nothing in plaintext', async () => {
    const names = await edge.sql('select name from transactions limit 20')
    for (const file of await readdir(taken)) {
      const bytes = await readFile(join(taken, file), 'latin1')
      for (const { name } of names) expect([file, bytes.includes(String(name))]).toEqual([file, false])
    }
  })

  test.runIf(hasAge)('are opened by age and gunzip', async () => {
    const opened = await promisify(exec)(
      `age --decrypt --identity '${keyFile}' '${join(taken, 'public.items.jsonl.gz.age')}' | gunzip`,
    )
    expect(
      opened.stdout
        .trimEnd()
        .split('\n')
        .map((line) => z.looseObject({ id: z.string() }).parse(JSON.parse(line)).id),
    ).toEqual([linked.id])
  })
})

describe('npm run backup -- create', () => {
  test('leaves nothing behind when it fails', async () => {
    const place = await mkdtemp(join(folder, 'failed-'))
    const { code } = await backup(['create', '--to', place], {
      MIGRATE_DATABASE_URL: await databases.create(),
    })
    expect([code, await readdir(place)]).toEqual([1, []])
  })

  test.each([
    ['without a recipient', { BACKUP_RECIPIENT: '' }, 'BACKUP_RECIPIENT is not set'],
    ['with a recipient that is no age key', { BACKUP_RECIPIENT: 'ssh-ed25519 AAAA' }, 'must be age public keys'],
    ['with a short AUDIT_KEY', { AUDIT_KEY: 'c2hvcnQ=' }, 'AUDIT_KEY must be at least 32'],
    ['through a pooler', { MIGRATE_DATABASE_URL: 'postgres://u:p@ep-x-pooler.eu.aws.neon.tech/db' }, 'pooler'],
  ])('is refused %s', async (_, changed, message) => {
    const { code, output } = await backup(['create', '--to', folder], changed)
    expect([code === 0, output]).toEqual([false, expect.stringContaining(message)])
  })
})

describe('npm run backup -- cleanup', () => {
  test('deletes what is older than --days, except the newest', async () => {
    const place = await mkdtemp(join(folder, 'old-'))
    const old = ['20200101T000000Z-00000001', '20200102T000000Z-00000002']
    for (const name of old) await cp(taken, join(place, name), { recursive: true })
    expect(await backup(['cleanup', '--to', place])).toMatchObject({ code: 0 })
    expect(await readdir(place)).toEqual(old.slice(1))
    await cp(taken, join(place, basename(taken)), { recursive: true })
    expect(await backup(['cleanup', '--to', place, '--days', '30'])).toMatchObject({ code: 0 })
    expect(await readdir(place)).toEqual([basename(taken)])
    const { code, output } = await backup(['list', '--to', place])
    expect([code, output]).toEqual([0, expect.stringMatching(/tables, rows: \d+/)])
  })
})
