// What the Worker does when Neon restarts, loses a connection or does not respond. A lost connection is a 400 with an
// empty code: the statements may or may not have been committed.
import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { batch, callTimeoutMs, connect, execute, longTimeoutMs } from '../../../src/db/core/client.ts'
import { anyRow, command, idRow, query } from '../../../src/db/core/statement.ts'
import { checkDatabase } from '../../../src/db/operations/health.ts'
import { getItem } from '../../../src/db/items/items.ts'
import { AppError } from '../../../src/errors.ts'
import { expectTruth } from '../../support/equality.ts'
import { rotate, useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => {
  world.lines.length = 0
})

const many = 5001

/** Services whose first page has more rows than a run holds in memory, with ids that begin with `prefix`. */
function withLongPage(prefix: string, beforeLastPage: () => Promise<unknown> = () => Promise.resolve()) {
  let pages = 0
  return odd.withPlaid({
    async syncTransactions(...args) {
      pages += 1
      if (pages % 2 === 0) await beforeLastPage()
      const answer = await world.services.plaid.syncTransactions(...args)
      const row = answer.ok ? answer.value.added[0] : undefined
      if (!answer.ok || row === undefined) return answer
      const added = Array.from({ length: many }, (_, index) => ({ ...row, transaction_id: `${prefix} ${index}` }))
      return { ...answer, value: { ...answer.value, added, has_more: pages % 2 === 1 } }
    },
  })
}

async function countStored(prefix: string): Promise<number> {
  const [row] = await world.sql(
    'select count(*) as n from transactions where plaid_transaction_id like $1 and removed_at is null',
    [`${prefix} %`],
  )
  return Number(row?.['n'])
}

const cursorOf = async (id: string) =>
  await world.sql("select cursor from item_products where item_id = $1 and product = 'transactions'", [id])

describe('a run with staged pages', () => {
  it('keeps them when the database restarts before the commit', async () => {
    const item = await linkAndSync(world, 'restarted')
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    await world.stack.addFault(world.database.name, { kind: 'restart', matching: 'begin_commit' })
    await odd.sync(item, 'transactions', withLongPage('restarted'))
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed' })
    expect(await countStored('restarted')).toBe(many)
  }, 60_000)

  it('commits nothing when some of them are gone, and the next run reads all of them again', async () => {
    const item = await linkAndSync(world, 'gone')
    await world.bank.change(item.plaidItemId, { add: 1, silent: true })
    const before = await cursorOf(item.id)
    const losing = withLongPage('gone', () => world.sql('delete from sync_staging where seq % 100 = 7'))
    await odd.sync(item, 'transactions', losing)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'failed', error_code: 'STAGING_LOST' })
    expect(await cursorOf(item.id)).toEqual(before)
    expect(await countStored('gone')).toBe(0)
    expect(await world.sql('select count(*) as n from sync_staging')).toEqual([{ n: '0' }])
    await world.elapse()
    await odd.sync(item, 'transactions', withLongPage('gone'))
    expect(await countStored('gone')).toBe(many)
    expect(await getItem(world.services.api, world.user('gone').actor.identity, item.id)).toMatchObject({
      status: 'healthy',
    })
  }, 60_000)
})

describe('a commit whose connection is lost', () => {
  it.each(['cut-before', 'cut-after'] as const)('is tried again and happens once (%s)', async (kind) => {
    const item = await linkAndSync(world, kind)
    await world.bank.change(item.plaidItemId, { add: 3, remove: 1, silent: true })
    await world.stack.addFault(world.database.name, { kind, matching: 'begin_commit' })
    await odd.sync(item, 'transactions')
    await expectTruth(world, kind, item.plaidItemId)
    expect(await odd.lastRun(item)).toMatchObject({ outcome: 'committed', upserted: '3' })
    expect(world.lines.filter((line) => line.includes('commit_refused'))).toEqual([])
  })
})

describe('a rotation whose connection is lost', () => {
  it.each(['cut-before', 'cut-after'] as const)('keeps the new token (%s)', async (kind) => {
    const subject = `rotated ${kind}`
    const item = await linkAndSync(world, subject)
    await world.stack.addFault(world.database.name, { kind, matching: 'set access_token_sealed', times: 3 })
    await rotate(world, world.user(subject), item.id)
    await world.bank.change(item.plaidItemId, { add: 2, silent: true })
    await odd.sync(item, 'transactions')
    await expectTruth(world, subject, item.plaidItemId)
    expect(world.lines.filter((line) => line.includes('access_token_lost'))).toEqual([])
  })
})

const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => null,
    (error: unknown) => error,
  )

describe('a call of the database', () => {
  const select = (jobs = world.services.jobs) => execute(jobs, [command(sql`select 1 as one`)])

  it.each(['fail-before', 'lose-answer', 'cut-before', 'cut-after', 'too-many'] as const)(
    'has an unknown outcome after %s',
    async (kind) => {
      await world.stack.addFault(world.database.name, { kind, matching: 'select 1 as one' })
      const error = await failureOf(select())
      expect(error).toMatchObject({ code: 'unavailable', sqlState: null })
    },
  )

  it('has no effect when PostgreSQL refuses it', async () => {
    const { jobs } = world.services
    const error = await failureOf(execute(jobs, [command(sql`select 1 / 0`)]))
    expect(error).toMatchObject({ code: 'internal', reason: 'sqlstate 22012', sqlState: '22012' })
  })

  it('ends at its deadline with an unknown outcome when it hangs', async () => {
    const { jobsUrl, endpoint } = world.database
    const jobs = connect('wn_jobs', jobsUrl, endpoint, 300)
    await world.stack.addFault(world.database.name, { kind: 'hang', matching: 'select 1 as one' })
    const error = await failureOf(select(jobs))
    expect(error).toMatchObject({ code: 'unavailable', reason: 'no answer from the database in time', sqlState: null })
  })

  it('has a deadline, of either login', async () => {
    const { api, jobs } = world.services
    const timer = vi.spyOn(globalThis, 'setTimeout')
    await execute(api, [command(sql`select 1`)])
    await execute(jobs, [command(sql`select 1`)])
    const waits = timer.mock.calls.map(([, milliseconds]) => milliseconds)
    timer.mockRestore()
    expect(waits).toContain(callTimeoutMs.wn_api)
    expect(waits).toContain(callTimeoutMs.wn_jobs)
  })

  it('has a deadline longer than four full statements when it commits', async () => {
    const [row] = await world.sql(
      `select split_part(setting, '=', 2) as limit from pg_db_role_setting, unnest(setconfig) setting
        where setrole = 'wn_jobs'::regrole and setting like 'statement_timeout=%'`,
    )
    expect(row).toEqual({ limit: '60s' })
    expect(longTimeoutMs).toBeGreaterThanOrEqual(4 * 60_000)
    const timer = vi.spyOn(globalThis, 'setTimeout')
    await linkAndSync(world, 'patient')
    const waits = timer.mock.calls.map(([, milliseconds]) => milliseconds)
    timer.mockRestore()
    expect(waits).toContain(longTimeoutMs)
  })
})

describe('readiness', () => {
  it('fails after five seconds without a response', async () => {
    await world.stack.addFault(world.database.name, { kind: 'hang', matching: 'applied_migrations' })
    const started = performance.now()
    expect(await checkDatabase(world.services.jobs)).toEqual({ ok: false, problems: ['The database does not answer.'] })
    expect(performance.now() - started).toBeLessThan(callTimeoutMs.wn_api - 1000)
    expect(await checkDatabase(world.services.jobs)).toEqual({ ok: true, problems: [] })
  })

  it("fails for a login that has the other login's rights", async () => {
    const { jobsUrl, endpoint } = world.database
    const { ok, problems } = await checkDatabase(connect('wn_api', jobsUrl, endpoint))
    expect(ok).toBe(false)
    expect(problems).toEqual(['The login lacks the rights of wn_api.', 'The login has the rights of wn_jobs.'])
  })
})

describe('readiness of the login of built-in accounts', () => {
  const check = async (url: string) => await checkDatabase(connect('wn_identity', url, world.database.endpoint))

  it('fails for another login of the Worker', async () => {
    expect((await check(world.database.apiUrl)).problems).toEqual([
      'The login lacks the rights of wn_identity.',
      'The login has the rights of wn_api.',
      'The login may touch tables.',
      'The login may not use the built-in accounts.',
    ])
  })

  it('fails where it may do more than call the functions of the accounts, or less', async () => {
    expect(await check(world.database.identityUrl)).toEqual({ ok: true, problems: [] })
    await world.sql('grant usage on schema public to wn_identity')
    await world.sql('grant select (id) on items to wn_identity')
    await world.sql('revoke execute on function identity.session_lives(uuid, uuid) from wn_identity')
    await world.sql('grant usage on schema identity to wn_api')
    await world.sql('grant execute on function identity.session_lives(uuid, uuid) to wn_api')
    expect((await check(world.database.identityUrl)).problems).toEqual([
      'The login may touch tables.',
      'The login may not use the built-in accounts.',
    ])
    expect(await checkDatabase(world.services.api)).toEqual({
      ok: false,
      problems: ['The login may use the built-in accounts.'],
    })
  })
})

describe('a login', () => {
  it.each([
    [
      'wn_api',
      { statement_timeout: '10s', lock_timeout: '3s', idle_in_transaction_session_timeout: '15s', jit: 'off' },
    ],
    [
      'wn_jobs',
      { statement_timeout: '1min', lock_timeout: '0', idle_in_transaction_session_timeout: '15s', jit: 'off' },
    ],
    [
      'wn_identity',
      { statement_timeout: '10s', lock_timeout: '3s', idle_in_transaction_session_timeout: '15s', jit: 'off' },
    ],
  ] as const)('%s has limits that its server keeps', async (login, settings) => {
    const { apiUrl, jobsUrl, identityUrl, endpoint } = world.database
    const urls = { wn_api: apiUrl, wn_jobs: jobsUrl, wn_identity: identityUrl }
    const database = connect(login, urls[login], endpoint)
    const names = Object.keys(settings)
    const columns = sql.raw(names.map((name) => `current_setting('${name}') as ${name}`).join(', '))
    const { found } = await batch(database, { found: query(anyRow, sql`select ${columns}`) })
    expect(found).toEqual([settings])
  })

  it('wn_api gives up a lock that it does not get, so that its client is not kept waiting', async () => {
    const item = await linkAndSync(world, 'locked')
    const { api, jobs } = world.services
    const lock = command(sql`select id from items where id = ${item.id} for update`)
    const holding = execute(jobs, [lock, command(sql`select pg_sleep(6)`)])
    await expect
      .poll(() =>
        world.sql(
          "select 1 from pg_stat_activity where query like 'select pg_sleep(6)%' and datname = current_database()",
        ),
      )
      .toHaveLength(1)
    const error = await failureOf(rotate(world, world.user('locked'), item.id))
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'unavailable', reason: 'sqlstate 55P03', sqlState: '55P03' })
    await holding
    await expect(execute(api, [command(sql`select 1 as one`)])).resolves.toBeUndefined()
  })
})

describe('two transactions that wait for one another', () => {
  it('both end well: the one that PostgreSQL rolls back runs again', async () => {
    const first = await linkAndSync(world, 'one-way')
    const second = await linkAndSync(world, 'other-way')
    const mark = ({ id }: { readonly id: string }) =>
      query(idRow, sql`update items set updated_at = now() where id = ${id} returning id`)
    const wait = command(sql`select pg_sleep(0.5)`)
    const deadlocks = async () => {
      const [row] = await world.sql('select deadlocks from pg_stat_database where datname = current_database()')
      return Number(row?.['deadlocks'])
    }
    const before = await deadlocks()
    const ends = await Promise.all([
      batch(world.services.jobs, { one: mark(first), wait, other: mark(second) }),
      batch(world.services.jobs, { one: mark(second), wait, other: mark(first) }),
    ])
    expect(ends.map(({ one, other }) => [...one, ...other])).toEqual([
      [first.id, second.id],
      [second.id, first.id],
    ])
    // PostgreSQL updates its statistics with a delay.
    await vi.waitFor(async () => expect(await deadlocks()).toBeGreaterThan(before), { timeout: 20_000 })
  })
})
