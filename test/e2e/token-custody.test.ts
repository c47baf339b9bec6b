// A sealed access token belongs to one row of one user. Moved to another row it does not open: nothing is read with it,
// and only the operator's log names the reason. Moved back, syncs and removals succeed again, also the removal of an
// item that its user removed in the meantime.
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

/** The tables with the bank's data. */
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
  test('opens nothing: no call to Plaid, no data, a plain sentence for the user, the reason in the log', async () => {
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
      expect([...errors]).toEqual(['An internal error occurred. The operator is notified.'])
      expect(text).not.toMatch(/decrypt|seal|cipher|AES|GCM|key|undecryptable/i)
    }
    expect(edge.plaid.exchanges.length).toBe(calls)
    expect(await stored()).toEqual(before)
    const written = edge.lines().slice(lines).join('\n')
    expect(written).toContain('"event":"sync_failed"')
    expect(written).toContain('"code":"token_undecryptable"')
  })

  test('repairs no item and rotates none', async () => {
    const [left, right, rightOwner] = moved()
    const calls = edge.plaid.exchanges.length
    const answers = [
      await edge.as('owner')('POST', '/api/v1/plaid/link/token/create', { body: { item_id: left.id } }),
      await edge.as(rightOwner)('POST', `/api/v1/plaid/items/${right.id}/access_token/rotate`),
    ]
    for (const { status, text } of answers) {
      expect([status, text]).toEqual([500, expect.stringContaining('"code":"token_undecryptable"')])
      expect(text).not.toMatch(/seal|cipher|AES|GCM|row|user/i)
    }
    expect(edge.plaid.exchanges.length).toBe(calls)
  })

  test('works again when it is moved back, and syncs completely', async () => {
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

const removalOf = (item: Linked) =>
  edge.sql('select last_error from plaid_removals where plaid_item_id = $1', [item.plaidItemId])
const statusOf = async (item: Linked) => (await edge.sql('select status from items where id = $1', [item.id]))[0]
const calledSince = (calls: number) => edge.plaid.exchanges.slice(calls).map(({ path }) => path)
const removalsSince = (calls: number) => calledSince(calls).filter((path) => path.endsWith('/remove'))
const linesOf = (item: Linked, from: number) =>
  edge
    .lines()
    .slice(from)
    .filter((line) => line.includes('"event":"item_not_ended"') && line.includes(item.plaidItemId))

/** Makes the next attempt of every removal due, the oldest first, and sweeps. */
async function sweepLater(): Promise<void> {
  await edge.sql("update plaid_removals set next_attempt_at = next_attempt_at - interval '1 day'")
  await edge.sweep()
}

/** The user removes an item whose token does not open. The item disappears for the user, and Plaid gets no call. */
async function expectRemovedWithoutCall(subject: string, item: Linked, purge = false): Promise<void> {
  const [calls, lines] = [edge.plaid.exchanges.length, edge.lines().length]
  const path = `/api/v1/plaid/items/${item.id}`
  const removed = await edge.as(subject)('DELETE', purge ? `${path}?purge=true` : path)
  expect([removed.status, removed.text]).toEqual([204, ''])
  expect((await edge.as(subject)('GET', path)).status).toBe(404)
  expect(calledSince(calls)).toEqual([])
  expect(await removalOf(item)).toEqual([{ last_error: 'token_undecryptable' }])
  const [line, ...more] = linesOf(item, lines)
  expect(more).toEqual([])
  expect(line).toContain('"level":"error"')
  expect(line).toContain('"code":"token_undecryptable"')
}

const leavers: readonly (readonly [string, string, string])[] = [
  ["another row of the same user's", 'leaver', 'leaver'],
  ["another user's row", 'another leaver', 'who stays'],
]

describe.each(leavers)('an item that is removed while its token is moved to %s', (_what, subject, rightOwner) => {
  let left: Linked
  let right: Linked
  let down: Linked

  beforeAll(async () => {
    left = await edge.linkAndSync(subject)
    right = await edge.linkAndSync(rightOwner, { institution_id: 'ins_109509' })
    down = await edge.linkAndSync(`${subject} while Plaid is down`)
  })

  test('is hidden immediately; neither it nor the other item is removed at Plaid', async () => {
    await swap(left, right)
    await expectRemovedWithoutCall(subject, left)
    expect(await statusOf(left)).toEqual({ status: 'removing' })
    // A second removal has the same effect.
    await expectRemovedWithoutCall(subject, left)
  })

  test('is not removed by the sweep, which processes other removals', async () => {
    await edge.bank.fault({ endpoint: '/item/remove', times: 50, error: 'INTERNAL_SERVER_ERROR' })
    await edge.as(`${subject} while Plaid is down`)('DELETE', `/api/v1/plaid/items/${down.id}`)
    expect(await removalOf(down)).toEqual([{ last_error: 'INTERNAL_SERVER_ERROR' }])
    await edge.healBank()
    const [calls, lines] = [edge.plaid.exchanges.length, edge.lines().length]
    await sweepLater()
    await vi.waitFor(async () => expect(await statusOf(down)).toEqual({ status: 'removed' }), { timeout: 30_000 })
    expect(removalsSince(calls)).toEqual(['/item/remove'])
    expect(linesOf(left, lines)).toHaveLength(1)
    expect(await removalOf(left)).toEqual([{ last_error: 'token_undecryptable' }])
    expect(await statusOf(left)).toEqual({ status: 'removing' })
  })

  test('is removed with its own token once that is restored, and the other item continues', async () => {
    await swap(left, right)
    const calls = edge.plaid.exchanges.length
    await sweepLater()
    await vi.waitFor(async () => expect(await statusOf(left)).toEqual({ status: 'removed' }), { timeout: 30_000 })
    expect(await removalOf(left)).toEqual([])
    const removals = edge.plaid.exchanges.slice(calls).filter(({ path }) => path.endsWith('/remove'))
    expect(removals.map(({ path, status }) => [path, status])).toEqual([['/item/remove', 200]])
    expect(removals[0]?.body).toContain(edge.accessToken(left.plaidItemId))
    await edge.as(rightOwner)('POST', `/api/v1/plaid/sync/item/${right.id}`)
    await edge.settled()
    const { products } = await productsOf(rightOwner, right)
    expect(products.filter(({ last_error: error }) => error !== null)).toEqual([])
    await expectTransactionsEqual(edge, rightOwner, right.plaidItemId)
  })
})

describe('a stored token that is damaged', () => {
  let item: Linked
  let sealed: string
  const write = (text: string) => edge.sql('update items set access_token_sealed = $2 where id = $1', [item.id, text])

  beforeAll(async () => {
    item = await edge.linkAndSync('damaged')
    const [row] = await edge.sql('select access_token_sealed as sealed from items where id = $1', [item.id])
    sealed = z.string().parse(row?.['sealed'])
  })

  test.each([
    ['cut short', () => sealed.slice(0, -6)],
    ['with one bit changed', () => sealed.replace(/.(?=.{4}$)/, (at) => (at === 'A' ? 'B' : 'A'))],
    ['replaced by plain text', () => edge.accessToken(item.plaidItemId)],
    ['empty', () => ''],
  ])('%s opens nothing, and the removal of its item waits', async (_what, damaged) => {
    await write(damaged())
    await expectRemovedWithoutCall('damaged', item)
  })

  test('opens again when it is restored, and the item is removed', async () => {
    await write(sealed)
    const calls = edge.plaid.exchanges.length
    await sweepLater()
    await vi.waitFor(async () => expect(await statusOf(item)).toEqual({ status: 'removed' }), { timeout: 30_000 })
    expect(removalsSince(calls)).toEqual(['/item/remove'])
    expect(await removalOf(item)).toEqual([])
  })
})

test('an item purged while its token does not open is deleted, and still removed at Plaid', async () => {
  const item = await edge.linkAndSync('purged')
  const [row] = await edge.sql('select access_token_sealed as sealed from items where id = $1', [item.id])
  const sealed = z.string().parse(row?.['sealed'])
  await edge.sql('update items set access_token_sealed = $2 where id = $1', [item.id, sealed.slice(0, -6)])
  await expectRemovedWithoutCall('purged', item, true)
  expect(await edge.sql('select 1 as one from items where id = $1', [item.id])).toEqual([])
  // The item's row is deleted, so `plaid_removals` holds the only copy of the token.
  await edge.sql('update plaid_removals set access_token_sealed = $2 where plaid_item_id = $1', [
    item.plaidItemId,
    sealed,
  ])
  const calls = edge.plaid.exchanges.length
  await sweepLater()
  await vi.waitFor(async () => expect(await removalOf(item)).toEqual([]), { timeout: 30_000 })
  expect(removalsSince(calls)).toEqual(['/item/remove'])
})
