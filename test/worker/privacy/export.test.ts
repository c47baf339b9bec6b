// The export of a user's data, from the rows of a real database.
import { Buffer } from 'node:buffer'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { exportedTables } from '../../../src/db/privacy/exported-tables.ts'
import { exportData } from '../../../src/privacy/export.ts'
import { type Accounts, createAccounts } from '../../support/accounts.ts'
import { allProducts, linkAndSync } from '../../support/linked.ts'
import { unzip } from '../../support/unzip.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
let accounts: Accounts
beforeAll(async () => {
  ;[world, accounts] = await Promise.all([
    createWorld(inject('control'), { rateLimits: false }),
    createAccounts(inject('control')),
  ])
})
afterAll(() => Promise.all([world.stop(), accounts.stop()]))
afterEach(async () => {
  await world.stack.clearFaults(world.database.name)
  world.queue.length = 0
})

const lineSchema = z.object({ table: z.string(), row: z.record(z.string(), z.unknown()) })
const endSchema = z.object({ complete: z.literal(true), rows: z.record(z.string(), z.number()) })

type Ctx = Parameters<typeof exportData>[0]

async function readLines(ctx: Ctx) {
  const lines = (await new Response(await exportData(ctx, 'jsonl')).text()).trimEnd().split('\n')
  const parsed = lines.map((line): unknown => JSON.parse(line))
  return {
    head: parsed[0],
    rows: parsed.slice(1, -1).map((line) => lineSchema.parse(line)),
    end: endSchema.parse(parsed.at(-1)),
  }
}

const countOf = async (table: string, subject: string): Promise<number> => {
  const owner = table === 'users' ? 'id' : 'user_id'
  const rows = await world.sql(
    `select count(*)::int as n from ${table} where ${owner} = (select id from users where subject = $1)`,
    [subject],
  )
  return Number(rows[0]?.['n'])
}

describe('an export', () => {
  it('has every row of the user in every table, and none of another user', async () => {
    await linkAndSync(world, 'exporter', allProducts)
    await linkAndSync(world, 'other', allProducts)
    // Several pages of each kind of order.
    const account = `(select a.* from accounts a join users u on u.id = a.user_id where u.subject = 'exporter' limit 1) a`
    await world.sql(`insert into transactions (user_id, item_id, account_id, plaid_transaction_id, date, amount, name, pending, change_seq)
      select a.user_id, a.item_id, a.id, 'more-' || n, current_date, n, 'more', false, 10000 + n
        from ${account}, generate_series(1, 1200) n`)
    await world.sql(`insert into account_balances (account_id, user_id, day, current, as_of)
      select a.id, a.user_id, date '2020-01-01' + n, n, now() from ${account}, generate_series(1, 1100) n`)
    await world.sql(`insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, user_id, payload)
      select 'more-' || n, 'plaid', 'ITEM', 'ERROR', a.user_id, '{}' from ${account}, generate_series(1, 120) n`)
    await world.sql(
      `with e as (insert into webhook_endpoints (user_id, url, secret_sealed) select id, 'https://app.example.com', 'wn1.k.sealed'
        from users where id = (select user_id from ${account}) returning id, user_id)
      insert into webhook_deliveries (event_id, endpoint_id, owner_id, user_id, type, data)
      select gen_random_uuid(), id, user_id, user_id, 'item.linked', '{}' from e`,
    )
    const { head, rows, end } = await readLines(world.user('exporter'))
    expect(head).toMatchObject({
      format: 'wealthnavigator-export',
      format_version: 1,
      user: { issuer: 'wealthnavigator-edge', subject: 'exporter' },
    })
    const counts: Record<string, number> = {}
    for (const table of Object.keys(exportedTables)) counts[table] = await countOf(table, 'exporter')
    expect(end.rows).toEqual(counts)
    expect(counts['transactions']).toBeGreaterThan(100)
    expect([counts['webhook_endpoints'], counts['webhook_deliveries']]).toEqual([1, 1])
    const owner = String((await world.sql("select id from users where subject = 'exporter'"))[0]?.['id'])
    const owners = rows.map(({ table, row }) => String(table === 'users' ? row['id'] : row['user_id']))
    expect([...new Set(owners)]).toEqual([owner])
    const ids = rows.flatMap(({ table, row }) => (table === 'transactions' ? [String(row['id'])] : []))
    expect(new Set(ids).size).toBe(counts['transactions'])
  })

  it('has exact amounts, RFC 3339 times, and no sealed token', async () => {
    await linkAndSync(world, 'exact')
    await world.sql(`update transactions set amount = '-12345678901234567.890', note = '=1+1' where id = (select t.id
      from transactions t join users u on u.id = t.user_id where u.subject = 'exact' limit 1)`)
    const text = await new Response(await exportData(world.user('exact'), 'jsonl')).text()
    expect(text).toMatch(/"amount" : "-12345678901234567.89"/)
    expect(text).toMatch(/"created_at" : "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/)
    const sealed = await world.sql("select access_token_sealed as token from items where access_token_sealed <> ''")
    expect(sealed.length).toBeGreaterThan(0)
    for (const { token } of sealed) expect(text).not.toContain(String(token))
  })

  it('is complete and empty for a user who is not known', async () => {
    const { rows, end } = await readLines(world.user('nobody'))
    expect(rows).toEqual([])
    expect(new Set(Object.values(end.rows))).toEqual(new Set([0]))
  })

  it('fails where a page cannot be read, and has no last line', async () => {
    await linkAndSync(world, 'cut off')
    const reader = (await exportData(world.user('cut off'), 'jsonl')).getReader()
    const first = await reader.read()
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'from "transactions"' })
    const seen = [new TextDecoder().decode(first.value)]
    await expect(
      (async () => {
        for (let next = await reader.read(); !next.done; next = await reader.read())
          seen.push(new TextDecoder().decode(next.value))
      })(),
    ).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen.join('')).toContain('"table":"accounts"')
    expect(seen.join('')).not.toContain('"complete"')
    expect(world.lines.some((line) => line.includes('export_failed'))).toBe(true)
  })

  it('asks the database for a page when the client has taken the one before', async () => {
    await linkAndSync(world, 'slow reader')
    const ctx = world.user('slow reader')
    let calls = 0
    const { connection } = world.services.api
    const counted = new Proxy(connection, {
      get(target, name) {
        if (name === 'batch') calls += 1
        return Reflect.get(target, name)
      },
    })
    const stream = await exportData(
      { ...ctx, services: { ...world.services, api: { ...world.services.api, connection: counted } } },
      'jsonl',
    )
    const reader = stream.getReader()
    await reader.read()
    await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(calls).toBeLessThan(8)
    await reader.cancel()
  })
})

describe('an export for spreadsheets', () => {
  it('is a zip archive with a file for each table and a manifest at its end', async () => {
    await linkAndSync(world, 'spreadsheet')
    await world.sql(`update transactions set amount = -12.50, note = '=HYPERLINK("http://example.com")' where id =
      (select t.id from transactions t join users u on u.id = t.user_id where u.subject = 'spreadsheet' limit 1)`)
    const files = unzip(
      Buffer.from(await new Response(await exportData(world.user('spreadsheet'), 'csv')).arrayBuffer()),
    )
    const names = Object.keys(exportedTables)
    expect(Object.keys(files)).toEqual([...names.map((table) => `${table}.csv`), 'manifest.json'])
    const manifest = endSchema.parse(JSON.parse(files['manifest.json'] ?? ''))
    const transactions = (files['transactions.csv'] ?? '').trimEnd().split('\r\n')
    expect(transactions.length - 1).toBe(manifest.rows['transactions'])
    expect(transactions[0]).toMatch(/^\uFEFF"id","user_id",/)
    const [changed] = transactions.filter((line) => line.includes('HYPERLINK'))
    expect(changed).toContain(`"'=HYPERLINK(""http://example.com"")"`)
    expect(changed).toContain(',-12.5,')
  })
})

describe('an export with a built-in account', () => {
  it('has the account and its sessions, and no hash', async () => {
    const signedIn = await accounts.signUp('export@example.com')
    const { rows, end } = await readLines(await accounts.as(signedIn))
    expect(end.rows).toMatchObject({ login: 1, login_sessions: 1 })
    expect(rows.find(({ table }) => table === 'login')?.row).toMatchObject({
      email: 'export@example.com',
      role: 'user',
      unused_recovery_codes: 0,
    })
    expect(JSON.stringify(rows)).not.toMatch(/hash|scrypt/)
  })
})
