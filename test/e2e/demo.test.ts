// The demo as a person runs it. It ends with equal data for the sample bank and for custom users of every kind, and it
// fails when data differ.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { compareRows } from '../../src/cli/demo/compare.ts'
import { canonicalNumber, parseExactJson } from '../../src/cli/lib/exact-json.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { runsLongProofs } from '../support/sampled.ts'

const command = join(projectFolder, 'src', 'cli', 'demo.ts')
const longestMs = 300_000

const outcomeSchema = z.object({
  ok: z.boolean(),
  error: z.string().nullable(),
  steps: z.array(
    z.object({
      step: z.int(),
      customer: z.string(),
      counts: z.record(z.string(), z.int()),
      different: z.int(),
      differences: z.array(z.object({ table: z.string(), id: z.string(), expected: z.unknown(), actual: z.unknown() })),
    }),
  ),
})

interface Running {
  child: ChildProcess
  /** The output so far. */
  output: { out: string; err: string }
  /** The origins of the demo's own API and simulator, once they listen. */
  ready: Promise<{ api: string; plaid: string }>
  code: Promise<unknown>
}

const running: ChildProcess[] = []

function start(args: readonly string[]): Running {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.push(child)
  const output = { out: '', err: '' }
  const code = once(child, 'close').then(([exitCode]: unknown[]) => exitCode)
  const ready = new Promise<{ api: string; plaid: string }>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.err += text
      const [, api, plaid] = /ready: API (\S+), Plaid simulator (\S+)\n/.exec(output.err) ?? []
      if (api !== undefined && plaid !== undefined) resolve({ api, plaid })
    })
    child.once('close', () => reject(new Error(`ended before it was ready: ${output.err}`)))
  })
  // A test that does not wait for it must not fail through it.
  ready.catch(() => undefined)
  return { child, output, ready, code }
}

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'close')
  }
})

const day = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)

const customUsers: Readonly<Record<string, string>> = {
  'investments-only': `{"override_accounts": [{
    "type": "investment", "subtype": "brokerage", "starting_balance": 100000.01,
    "holdings": [
      {"institution_price": 12.3456789, "quantity": 0.000000001, "cost_basis": 3, "currency": "USD",
       "security": {"ticker_symbol": "AAA", "name": "Example Fund", "currency": "USD"}},
      {"institution_price": 250, "quantity": 1e3, "currency": "USD",
       "security": {"ticker_symbol": "BBB", "name": "Another & Sons", "currency": "USD"}}],
    "investment_transactions": [
      {"date": "${day(40)}", "name": "buy Example Fund", "quantity": 0.000000001, "price": 12.3456789, "fees": 0.01, "type": "buy",
       "currency": "USD", "security": {"ticker_symbol": "AAA", "currency": "USD"}},
      {"date": "${day(10)}", "name": "sell Another", "quantity": -2.5, "price": 249.99, "fees": 0, "type": "sell",
       "currency": "USD", "security": {"ticker_symbol": "BBB", "currency": "USD"}}]
  }]}`,
  'credit-card': `{"override_accounts": [{
    "type": "credit", "subtype": "credit card", "starting_balance": 987.65, "meta": {"name": "A Card", "limit": 5000},
    "liability": {"type": "credit", "purchase_apr": 12.9, "balance_transfer_apr": 20.49, "cash_apr": 28.49,
      "last_payment_amount": 500, "minimum_payment_amount": 22.4},
    "transactions": [{"date_transacted": "${day(3)}", "date_posted": "${day(2)}", "amount": 16, "description": "GROCERIES"}]
  }]}`,
  'odd-text': `{"override_accounts": [{
    "type": "depository", "subtype": "checking", "starting_balance": 9999999999999999.99,
    "meta": {"name": "Conto “più” 🦆 ' \\" \\\\ ; DROP TABLE accounts; --", "official_name": "\\u0061\\u0301 %_ <b>"},
    "transactions": [
      {"date_transacted": "${day(600)}", "date_posted": "${day(600)}", "amount": 1234567890123456.10, "description": "big"},
      {"date_transacted": "${day(9)}", "date_posted": "${day(8)}", "amount": 0.000000000000000001, "description": " spaces  around "},
      {"date_transacted": "${day(8)}", "date_posted": "${day(8)}", "amount": -0.10, "description": "עברית and 日本語\\nand a line"},
      {"date_transacted": "${day(7)}", "date_posted": "${day(7)}", "amount": 1.50e2, "description": "${'long '.repeat(200)}"},
      {"date_transacted": "${day(1)}", "date_posted": "${day(-2)}", "amount": 7, "description": "waits", "currency": "EUR"}]
  }]}`,
  'student-loan': `{"override_accounts": [{
    "type": "loan", "subtype": "student",
    "liability": {"type": "student", "origination_date": "2020-09-01", "principal": 10000, "nominal_apr": 6.25,
      "loan_name": "Consolidation", "repayment_plan_type": "standard"}
  }]}`,
}

describe.runIf(runsLongProofs())('the demo', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-custom-users-'))
    for (const [name, text] of Object.entries(customUsers)) await writeFile(join(folder, `${name}.json`), text)
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test(
    'ends in equality for the sample bank and for each custom user, through lost webhooks and a killed Worker',
    async () => {
      const demo = start(['--json', '--custom-users', folder])
      const code = await demo.code
      if (code !== 0) throw new Error(demo.output.err)
      const { ok, error, steps } = outcomeSchema.parse(JSON.parse(demo.output.out))
      expect({ ok, error }).toEqual({ ok: true, error: null })
      const stepsOf = (name: string) => [
        ...new Set(steps.filter((step) => step.customer === name).map(({ step }) => step)),
      ]
      expect(stepsOf('sample bank')).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      for (const name of Object.keys(customUsers)) expect(stepsOf(name)).toEqual([1, 2, 3, 4, 5])
      const atFirst = (name: string) => steps.find(({ step, customer }) => step === 1 && customer === name)?.counts
      expect(atFirst('investments-only')).toMatchObject({ transactions: 0, holdings: 2, investment_transactions: 2 })
      expect(atFirst('credit-card')).toMatchObject({ transactions: 1, liabilities: 1 })
      expect(atFirst('odd-text')).toMatchObject({ transactions: 5 })
      expect(atFirst('student-loan')).toMatchObject({ accounts: 1, transactions: 0, liabilities: 1 })
    },
    longestMs,
  )

  test(
    'fails, and shows what is missing, when the bank changes behind its back',
    async () => {
      const demo = start(['--json', '--wait', '5'])
      const { plaid } = await demo.ready
      const ended = new AbortController()
      const secretly = changeSilently(plaid, ended.signal)
      const code = await demo.code
      ended.abort()
      await secretly
      expect(code).toBe(1)
      const { ok, error, steps } = outcomeSchema.parse(JSON.parse(demo.output.out))
      expect({ ok, error }).toEqual({ ok: false, error: null })
      const missing = steps.flatMap(({ differences }) => differences).filter(({ table }) => table === 'transactions')
      expect(missing.length).toBeGreaterThan(0)
      expect(missing[0]).toMatchObject({ expected: { amount: expect.any(String) }, actual: null })
      expect(demo.output.err).toContain(missing[0]?.id)
      expect(demo.output.err).toContain('Not equal.')
    },
    longestMs,
  )

  test(
    'stops everything that it started when it is interrupted',
    async () => {
      const demo = start(['--json'])
      const { api, plaid } = await demo.ready
      demo.child.kill('SIGINT')
      expect(await demo.code).toBe(1)
      expect(demo.output.err).toContain('Stopped before the end.')
      for (const url of [api, plaid]) await expect(fetch(url)).rejects.toThrow('fetch failed')
    },
    longestMs,
  )

  test.each([
    { args: ['--nonsense'], says: '--nonsense' },
    { args: ['--wait', 'long'], says: '--wait long must be a number of seconds' },
    { args: ['--custom-users', '/nowhere/at/all'], says: 'cannot be read (ENOENT)' },
  ])('is misused with $args', async ({ args, says }) => {
    const demo = start(args)
    expect(await demo.code).toBe(2)
    expect(demo.output.err).toContain(says)
    expect(demo.output.out).toBe('')
  })
})

const itemsSchema = z.object({ items: z.array(z.object({ item_id: z.string() })) })

/** Adds transactions without webhooks until the simulator stops. */
async function changeSilently(plaid: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const found = await fetch(`${plaid}/simulator/truth`, { signal }).then((response) => response.json(), gone)
    for (const { item_id } of itemsSchema.parse(found).items) {
      const body = JSON.stringify({ silent: true, add: 1 })
      await fetch(`${plaid}/simulator/items/${item_id}/bank`, { method: 'POST', body, signal }).catch(gone)
    }
    await delay(50)
  }
}

const gone = (): unknown => ({ items: [] })

describe('the comparison of the demo', () => {
  const row = (id: string, amount: string) => ({ id, fields: { amount, pending: false } })

  test('finds nothing between equal rows in another order', () => {
    expect(compareRows('t', [row('a', '1'), row('b', '2')], [row('b', '2'), row('a', '1')])).toEqual([])
  })

  test('finds a missing row, a surplus row, a repeated row, and a changed digit', () => {
    const bank = [row('a', '1'), row('b', '0.000000000000000001'), row('c', '3')]
    const api = [row('b', '0.000000000000000002'), row('c', '3'), row('c', '3'), row('d', '4')]
    expect(compareRows('t', bank, api).map(({ id, field, actual }) => ({ id, field, actual }))).toEqual([
      { id: 'a', field: null, actual: null },
      { id: 'b', field: 'amount', actual: '0.000000000000000002' },
      { id: 'd', field: null, actual: { amount: '4', pending: false } },
      { id: 'c', field: null, actual: 'twice' },
    ])
  })

  test('finds a field that only one side has', () => {
    expect(compareRows('t', [row('a', '1')], [{ id: 'a', fields: { amount: '1' } }])).toMatchObject([
      { id: 'a', field: 'pending', expected: false },
    ])
  })

  test.each([
    ['1234567890123456.10', '1234567890123456.1'],
    ['0.000000000000000001', '0.000000000000000001'],
    ['1e-18', '0.000000000000000001'],
    ['-98765432109876.543210', '-98765432109876.54321'],
    ['1.50e2', '150'],
    ['-0.0', '0'],
    ['100', '100'],
    ['9007199254740993', '9007199254740993'],
  ])('reads the JSON number %s as %s', (token, text) => {
    expect(canonicalNumber(token)).toBe(text)
    expect(parseExactJson(`{"amount": [${token}, "${token}", true, null]}`)).toEqual({
      amount: [text, token, true, null],
    })
  })

  test('refuses what is no number', () => {
    for (const token of ['', '-', '.5', '1.', 'NaN', '1e', '1e9999'])
      expect(() => canonicalNumber(token)).toThrow(RangeError)
  })
})
