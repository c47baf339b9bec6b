// What the owner does by command is a row of the audit trail, in the transaction of the change.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { query } from '../../support/sql.ts'
import { connectStack, type TestDatabase } from '../../support/stack.ts'

const auditKey = 'dGVzdC1hdWRpdC1rZXktdGVzdC1hdWRpdC1rZXktMDE='
const stack = connectStack(inject('control'))
let database: TestDatabase
beforeAll(async () => {
  database = await stack.createDatabase()
})
afterAll(() => stack.dropDatabase(database.name))

const sql = (text: string, params: readonly unknown[] = []) => query(database.endpoint, database.ownerUrl, text, params)

interface Outcome {
  readonly code: number
  readonly out: string
  readonly error: string
}

function run(name: string, args: readonly string[], environment: Record<string, string> = { AUDIT_KEY: auditKey }) {
  const env = { PATH: process.env['PATH'], MIGRATE_DATABASE_URL: database.ownerUrl, ...environment }
  return new Promise<Outcome>((resolve) => {
    const child = execFile(
      process.execPath,
      [join(projectFolder, `src/cli/${name}.ts`), ...args],
      { cwd: projectFolder, env },
      (_, out, error) => resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}

const rows = (action: string) =>
  sql(
    `select l.actor_kind, l.target_id, l.actor_hash, p.person from audit_log l
      left join audit_people p on p.audit_id = l.id and p.part = 'owner' where l.action = $1 order by l.at`,
    [action],
  )
const byCommand = { actor_kind: 'command', actor_hash: null }

/** A test runs several processes. */
const limit = { timeout: 90_000 }

describe('freeze', limit, () => {
  const changes = () => rows('freeze_changed')

  it('leaves a row for each change, and none for the state that is there', async () => {
    for (const action of ['recovery', 'recovery', 'status', 'off'])
      expect(await run('freeze', [action])).toMatchObject({ code: 0, error: '' })
    expect(await changes()).toEqual([
      { ...byCommand, target_id: 'recovery', person: null },
      { ...byCommand, target_id: 'off', person: null },
    ])
  })

  it('does not wait for a key in an incident, and says that there is no row', async () => {
    const before = await changes()
    expect(await run('freeze', ['lock'], {})).toMatchObject({
      code: 0,
      out: expect.stringContaining('locked'),
      error: expect.stringContaining('no row'),
    })
    expect(await changes()).toEqual(before)
    expect(await run('freeze', ['off'])).toMatchObject({ code: 0 })
  })
})

describe('admin', limit, () => {
  it('leaves a row in the trail of the account, and changes nothing without a key', async () => {
    const email = 'chosen@example.com'
    await sql("insert into identity.accounts (id, email, password_hash) values (gen_random_uuid(), $1, 'none')", [
      email,
    ])
    const [account] = await sql('select id from identity.accounts where email = $1', [email])
    const person = `20:wealthnavigator-edge${account?.['id']}`
    expect(await run('admin', ['grant', email], {})).toMatchObject({ code: 2, error: expect.stringContaining('_KEY') })
    expect(await sql('select role from identity.accounts where email = $1', [email])).toEqual([{ role: 'user' }])
    for (const action of ['grant', 'grant', 'revoke'])
      expect(await run('admin', [action, email])).toMatchObject({ code: 0 })
    const row = { ...byCommand, target_id: null, person }
    expect(await rows('admin_granted')).toEqual([row])
    expect(await rows('admin_revoked')).toEqual([row])
  })
})

describe('audit -- verify', limit, () => {
  it('leaves its result, which the next one verifies', async () => {
    expect(await run('audit', ['verify'])).toMatchObject({ code: 0, out: expect.stringContaining('valid: 0 rows') })
    const stored = (await rows('audit_verified')).map(({ target_id }) => JSON.parse(String(target_id)))
    expect(stored).toEqual([expect.objectContaining({ fault: null, rows: 0, unchained: expect.any(Number) })])
    expect(await run('audit', ['verify'])).toMatchObject({ code: 0 })
  })

  it('leaves a row with the fault that it found', async () => {
    await sql('alter table audit_log disable trigger append_only')
    await sql("update audit_log set target_id = 'frozen' where target_id = 'recovery'")
    await sql('alter table audit_log enable trigger append_only')
    expect(await run('audit', ['verify'])).toMatchObject({ code: 1, out: expect.stringContaining('NOT VALID') })
    const stored = (await rows('audit_verified')).at(-1)
    expect(JSON.parse(String(stored?.['target_id']))).toMatchObject({
      fault: { what: 'the HMAC of the row is wrong', auditId: expect.any(String) },
    })
  })
})
