// A sealed access token belongs to one row of one user: moved to another it does not open, nothing is read with it, and
// nobody is told why but the operator's log. Moved back, everything goes on.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type Edge, type Linked, startEdge } from '../support/edge.ts'
import { fingerprint } from '../support/tables.ts'
import { expectTransactionsEqual } from '../support/truth.ts'

let edge: Edge
let mine: Linked
let alsoMine: Linked
let another: Linked

beforeAll(async () => {
  edge = await startEdge()
  mine = await edge.linkAndSync('owner')
  alsoMine = await edge.linkAndSync('owner', { institution_id: 'ins_109509' })
  another = await edge.linkAndSync('neighbour')
})
afterAll(() => edge.stop())

const swap = (left: Linked, right: Linked) =>
  edge.sql(
    `update items i set access_token_sealed = o.access_token_sealed from items o
      where (i.id = $1 and o.id = $2) or (i.id = $2 and o.id = $1)`,
    [left.id, right.id],
  )

const itemSchema = z.object({
  status: z.string(),
  products: z.array(z.object({ product: z.string(), status: z.string(), last_error: z.string().nullable() })),
})

async function productsOf(subject: string, item: Linked) {
  const answer = await edge.as(subject)('GET', `/api/v1/plaid/items/${item.id}`)
  return { text: answer.text, products: itemSchema.parse(answer.json()).products }
}

/** What the bank's data is stored in. */
const dataTables = [
  'transactions',
  'recurring_streams',
  'accounts',
  'account_balances',
  'holdings',
  'holding_days',
  'securities',
  'liabilities',
  'investment_transactions',
]

async function stored(): Promise<string[]> {
  const tables = await fingerprint(edge.sql)
  return dataTables.map((name) => `${name} ${tables[`public.${name}`]}`)
}

const moves: readonly (readonly [string, () => [Linked, Linked, string]])[] = [
  ["another row of the same user's", () => [mine, alsoMine, 'owner']],
  ["another user's row", () => [mine, another, 'neighbour']],
]

describe.each(moves)('a token moved to %s', (_what, moved) => {
  test('opens nothing: no call of Plaid, no data, a plain sentence for the user, the reason for the log', async () => {
    const [left, right, rightOwner] = moved()
    const before = await stored()
    const [calls, lines] = [edge.plaid.exchanges.length, edge.lines().length]
    await swap(left, right)
    await edge.as('owner')('POST', `/api/v1/plaid/sync/item/${left.id}`)
    await edge.as(rightOwner)('POST', `/api/v1/plaid/sync/item/${right.id}`)
    for (const [subject, item] of [
      ['owner', left],
      [rightOwner, right],
    ] as const) {
      await vi.waitFor(
        async () => {
          const { products } = await productsOf(subject, item)
          expect(new Set(products.map(({ status }) => status))).toEqual(new Set(['error']))
        },
        { timeout: 30_000 },
      )
      const { text, products } = await productsOf(subject, item)
      const errors = new Set(products.map(({ last_error: error }) => error))
      expect([...errors]).toEqual(['An internal problem. The operator has been told.'])
      expect(text).not.toMatch(/decrypt|seal|cipher|AES|GCM|key|undecryptable/i)
    }
    expect(edge.plaid.exchanges.length).toBe(calls)
    expect(await stored()).toEqual(before)
    const written = edge.lines().slice(lines).join('\n')
    expect(written).toContain('"event":"sync_failed"')
    expect(written).toContain('"code":"token_undecryptable"')
  })

  test('ends no item at Plaid and repairs none', async () => {
    const [left] = moved()
    const calls = edge.plaid.exchanges.length
    const answers = [
      await edge.as('owner')('DELETE', `/api/v1/plaid/items/${left.id}`),
      await edge.as('owner')('POST', '/api/v1/plaid/link/token/create', { body: { item_id: left.id } }),
    ]
    for (const { status, text } of answers) {
      expect([status, text]).toEqual([500, expect.stringContaining('"code":"token_undecryptable"')])
      expect(text).not.toMatch(/seal|cipher|AES|GCM|row|user/i)
    }
    expect(edge.plaid.exchanges.length).toBe(calls)
  })

  test('and moved back works again, up to the truth', async () => {
    const [left, right, rightOwner] = moved()
    await swap(left, right)
    await edge.bank.change(another.plaidItemId, { add: 2, silent: true })
    await edge.as('owner')('POST', `/api/v1/plaid/sync/item/${left.id}`)
    await edge.as(rightOwner)('POST', `/api/v1/plaid/sync/item/${right.id}`)
    await edge.settled()
    for (const [subject, item] of [
      ['owner', left],
      [rightOwner, right],
    ] as const) {
      const { products } = await productsOf(subject, item)
      expect(products.filter(({ last_error: error }) => error !== null)).toEqual([])
    }
    if (rightOwner === 'neighbour') await expectTransactionsEqual(edge, 'neighbour', another.plaidItemId)
  })
})

test.each([
  ['cut short', (sealed: string) => sealed.slice(0, -6)],
  ['with one bit changed', (sealed: string) => sealed.replace(/.(?=.{4}$)/, (at) => (at === 'A' ? 'B' : 'A'))],
  ['replaced by plain text', () => edge.accessToken(mine.plaidItemId)],
  ['empty', () => ''],
])('a stored token %s opens nothing', async (_what, change) => {
  const [row] = await edge.sql('select access_token_sealed as sealed from items where id = $1', [mine.id])
  const sealed = z.string().parse(row?.['sealed'])
  const write = (text: string) => edge.sql('update items set access_token_sealed = $2 where id = $1', [mine.id, text])
  await write(change(sealed))
  const calls = edge.plaid.exchanges.length
  const { status } = await edge.as('owner')('DELETE', `/api/v1/plaid/items/${mine.id}`)
  await write(sealed)
  expect(status).toBe(500)
  expect(edge.plaid.exchanges.length).toBe(calls)
})
