// A rule changes any value of any response. Every other digit stays the same, and so does the bank.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { changedAt, parsePath, removed } from '../../../../src/dev/plaid-simulator/lib/json-path.ts'
import { openDesk, truth } from './bank-desk.ts'

const at = (value: unknown, path: string, change: (before: unknown) => unknown) => {
  const steps = parsePath(path)
  if (steps === null) throw new Error(`${path} is no path`)
  return changedAt(value, steps, change)
}

describe('the path of a changed response', () => {
  const value = { a: { b: [{ id: 'x', n: 1 }, { id: 'y', n: 2 }, { id: 'z' }] }, c: null }

  test.each([
    ['c', { ...value, c: 'new' }],
    ['$.c', { ...value, c: 'new' }],
    ['a.b[1].n', { a: { b: [{ id: 'x', n: 1 }, { id: 'y', n: 'new' }, { id: 'z' }] }, c: null }],
    [
      'a.b[-1].n',
      {
        a: {
          b: [
            { id: 'x', n: 1 },
            { id: 'y', n: 2 },
            { id: 'z', n: 'new' },
          ],
        },
        c: null,
      },
    ],
    ['a.b[id=y].id', { a: { b: [{ id: 'x', n: 1 }, { id: 'new', n: 2 }, { id: 'z' }] }, c: null }],
    ['a.b[n=1]', { a: { b: ['new', { id: 'y', n: 2 }, { id: 'z' }] }, c: null }],
    ['a.b[*].id', { a: { b: [{ id: 'new', n: 1 }, { id: 'new', n: 2 }, { id: 'new' }] }, c: null }],
    ['d', { ...value, d: 'new' }],
  ])('%s names its values and leaves the rest', (path, expected) => {
    const before = structuredClone(value)
    expect(at(value, path, () => 'new')).toEqual(expected)
    expect(value).toEqual(before)
  })

  test.each(['a.b[7].n', 'a.x.y', 'c.d', 'a.b[id=q]', 'c[0]'])(
    '%s names nothing, and the value is the same',
    (path) => {
      expect(at(value, path, () => 'new')).toBe(value)
    },
  )

  test('takes members and elements out', () => {
    expect(at(value, 'a.b[*].n', () => removed)).toEqual({ a: { b: [{ id: 'x' }, { id: 'y' }, { id: 'z' }] }, c: null })
    expect(at(value, 'a.b[1]', () => removed)).toEqual({ a: { b: [{ id: 'x', n: 1 }, { id: 'z' }] }, c: null })
  })

  test.each(['', '$', 'a[', 'a[x]', '[0', 'a..b'])('rejects %j', (path) => {
    expect(parsePath(path)).toBeNull()
  })

  test('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parsePath(text)?.length ?? 1).toBeGreaterThan(0)
      }),
    )
  })
})

const accountsAnswer = z.object({ accounts: z.array(z.looseObject({ name: z.unknown().optional() })) })
const itemAnswer = z.object({ item: z.object({ institution_name: z.string() }).optional() })

describe('a rule that changes responses', () => {
  test.each([
    ['null', { value: null }, null],
    ['the empty text', { value: '' }, ''],
    ['another type', { wrong_type: true }, 7],
    ['nothing', { remove: true }, undefined],
    ['another value', { value: 'EUR' }, 'EUR'],
  ])('puts %s in the place of a value of every row', async (_what, replacement, expected) => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    await desk.control('/answers', { endpoint: '/accounts/get', path: 'accounts[*].name', ...replacement })
    const { text } = await desk.post('/accounts/get', { access_token })
    const { accounts } = accountsAnswer.parse(JSON.parse(text))
    expect(accounts.length).toBeGreaterThan(1)
    for (const account of accounts) expect(account).toMatchObject({ account_id: expect.any(String) })
    expect(accounts.map(({ name }) => name)).toEqual(accounts.map(() => expected))
  })

  test.each(['1234567890123456.10', '0.000000000000000001', '12.500', '-0'])(
    'keeps the digits of %s',
    async (number) => {
      const desk = await openDesk()
      const { access_token, item_id } = await desk.link()
      await desk.control(`/items/${item_id}/bank`, { history: 'historical' })
      await desk.control('/answers', `{"endpoint":"/transactions/sync","path":"added[0].amount","value":${number}}`)
      const { text } = await desk.post('/transactions/sync', { access_token })
      expect(text).toContain(`"amount":${number},`)
      // All other rows keep their amounts.
      const before = [...(await truth(desk, item_id)).values()].map((row) => /"amount":([^,]+),/.exec(row)?.[1])
      const after = [...text.matchAll(/"transaction_id":"[^}]*?"amount":([^,]+),/g)].map(([, amount]) => amount)
      expect(after.slice(1).every((amount) => before.includes(amount))).toBe(true)
    },
  )

  test('leaves the bank as it is, and every other endpoint', async () => {
    const desk = await openDesk()
    const { access_token, item_id } = await desk.link()
    const before = (await desk.control(`/truth?item_id=${item_id}`)).text
    await desk.control('/answers', { endpoint: '/accounts/get', path: 'accounts[*].balances.current', value: null })
    expect((await desk.post('/accounts/get', { access_token })).text).toContain('"current":null')
    expect((await desk.control(`/truth?item_id=${item_id}`)).text).toBe(before)
    expect((await desk.post('/accounts/balance/get', { access_token })).text).not.toContain('"current":null')
  })

  test('counts only the responses that it changed', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    const rule = { endpoint: '/item/get', path: 'item.institution_name', value: 'Other', times: 2, after: 1 }
    await desk.control('/answers', rule)
    await desk.control('/faults', { endpoint: '/item/get', error: 'INTERNAL_SERVER_ERROR' })
    const names: unknown[] = []
    for (let call = 0; call < 5; call += 1) {
      const { item } = itemAnswer.parse((await desk.post('/item/get', { access_token })).body)
      names.push(item?.institution_name)
    }
    expect(names).toEqual([undefined, 'First Gingham Credit Union', 'Other', 'Other', 'First Gingham Credit Union'])
    expect((await desk.control('/answers')).body).toEqual({ rules: [] })
  })

  test('changes the status of a success, and the body of an error where it says so', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    await desk.control('/answers', { endpoint: '/item/get', status: 202, times: 1 })
    expect((await desk.post('/item/get', { access_token })).status).toBe(202)
    await desk.control('/answers', { endpoint: '*', path: 'error_code', remove: true, errors: true })
    const { status, body } = await desk.post('/item/get', { access_token: 'junk' })
    expect(status).toBe(400)
    expect(body).toMatchObject({ error_type: 'INVALID_INPUT' })
    expect(body).not.toHaveProperty('error_code')
    expect((await desk.post('/item/get', { access_token })).status).toBe(200)
  })

  test('removes the rules of its endpoint with times 0, and DELETE removes all', async () => {
    const desk = await openDesk()
    for (const endpoint of ['/item/get', '/accounts/get'])
      await desk.control('/answers', { endpoint, path: 'item.webhook', value: '' })
    const left = await desk.control('/answers', { endpoint: '/item/get', times: 0 })
    expect(left.body).toEqual({ rules: [expect.objectContaining({ endpoint: '/accounts/get', path: 'item.webhook' })] })
    const none = await fetch(`${desk.simulator.url}/simulator/answers`, { method: 'DELETE' })
    expect(await none.json()).toEqual({ rules: [] })
  })

  test.each([
    [{ endpoint: '/item/get' }],
    [{ endpoint: '/item/get', path: 'item' }],
    [{ endpoint: '/item/get', value: 1 }],
    [{ endpoint: '/item/get', path: '[0]', value: 1 }],
    [{ endpoint: '/item/get', path: 'item', value: 1, remove: true }],
    [{ endpoint: 'item', path: 'item', value: 1 }],
    [{ endpoint: '/item/get', path: 'item', valeu: 1 }],
  ])('is refused when it changes nothing or is misspelt: %j', async (rule) => {
    const desk = await openDesk()
    expect((await desk.control('/answers', rule)).status).toBe(400)
    expect((await desk.control('/answers')).body).toEqual({ rules: [] })
  })
})
