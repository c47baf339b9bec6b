// Rules give new transactions a category, or hide them; the user's own edits come first.
import { expect, it } from 'vitest'
import * as z from 'zod'
import { getAccountRoute, listAccountsRoute } from '../../../src/http/routes/accounts.ts'
import {
  applyRulesRoute,
  createRuleRoute,
  deleteRuleRoute,
  listRulesRoute,
  orderRulesRoute,
  previewRuleRoute,
  replaceRuleRoute,
} from '../../../src/http/routes/rules.ts'
import { editTransactionRoute, listTransactionsRoute } from '../../../src/http/routes/transactions/transactions.ts'
import type { Item } from '../../../src/db/items/items.ts'
import { listChanges } from '../../../src/db/read/changes.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { ask } from '../../support/call-route.ts'
import { codeOf, daysAgo, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const row = z.looseObject({
  id: z.string(),
  name: z.string(),
  pending: z.boolean(),
  user_category: z.string().nullable(),
  hidden: z.boolean(),
  category_rule_id: z.string().nullable(),
  hidden_rule_id: z.string().nullable(),
})
const ruleRow = z.looseObject({ id: z.string() })
const stepSchema = z.object({ checked: z.number(), changed: z.number(), next_cursor: z.string().nullable() })

const rowsOf = async (subject: string) =>
  z
    .object({ data: z.array(row) })
    .parse(await ask(world.user(subject), listTransactionsRoute, { query: { limit: '500' } })).data
const named = async (subject: string, name: string) => {
  const found = (await rowsOf(subject)).find((each) => each.name === name)
  if (found === undefined) throw new Error(`no transaction ${name}`)
  return found
}
const create = async (subject: string, body: object) =>
  ruleRow.parse(await ask(world.user(subject), createRuleRoute, { body })).id
const apply = async (subject: string) => stepSchema.parse(await ask(world.user(subject), applyRulesRoute, { body: {} }))
const edit = async (subject: string, id: string, body: object) =>
  await ask(world.user(subject), editTransactionRoute, { params: { id }, body })
const accountOf = async (subject: string) => {
  const list = z.object({ data: z.array(z.looseObject({ id: z.string(), plaid_account_id: z.string() })) })
  return list.parse(await ask(world.user(subject), listAccountsRoute)).data
}

async function add(subject: string, item: Item, additions: readonly object[]): Promise<void> {
  await world.bank.change(item.plaidItemId, { add: additions, silent: true })
  await sync(subject, item)
}
async function sync(subject: string, item: Item): Promise<void> {
  await requestSync(world.user(subject), item.id)
  await world.drain()
}

it('a rule applies to new transactions only, the first rule with an action, and text is no pattern', async () => {
  const item = await linkAndSyncSmallBank(world, 'rules')
  const before = await rowsOf('rules')
  const first = await create('rules', { contains: 'CAFÉ%', max_amount: '50', user_category: 'Coffee' })
  const second = await create('rules', { contains: 'cafe\u0301%', user_category: 'Later' })
  const hides = await create('rules', { min_amount: '40', contains: 'café', hidden: true })
  expect(await rowsOf('rules')).toEqual(before)
  await add('rules', item, [
    { name: 'Cafe\u0301%Noir', amount: 4, date: daysAgo(1) },
    { name: 'café% large', amount: 50.01, date: daysAgo(1) },
    { name: 'Café Noir', amount: 3, date: daysAgo(1) },
    { name: 'CAFÉ exact', amount: 40, date: daysAgo(1) },
    { name: 'Tea', amount: 60, date: daysAgo(1) },
  ])
  expect(await named('rules', 'Cafe\u0301%Noir')).toMatchObject({
    user_category: 'Coffee',
    category_rule_id: first,
    hidden: false,
  })
  expect(await named('rules', 'café% large')).toMatchObject({
    user_category: 'Later',
    category_rule_id: second,
    hidden: true,
    hidden_rule_id: hides,
  })
  expect(await named('rules', 'Café Noir')).toMatchObject({
    user_category: null,
    category_rule_id: null,
    hidden: false,
  })
  expect(await named('rules', 'CAFÉ exact')).toMatchObject({ user_category: null, hidden: true, hidden_rule_id: hides })
  expect(await named('rules', 'Tea')).toMatchObject({ user_category: null, hidden: false })
})

it('a commit gives a posted transaction the values of the rules that match it, and keeps what the user set or cleared', async () => {
  const item = await linkAndSyncSmallBank(world, 'posting')
  const rule = await create('posting', { contains: 'shop', user_category: 'Shopping', hidden: true })
  const pending = ['Shop one', 'Shop two', 'Shop three'].map((name) => ({ name, amount: 9, pending: true }))
  await add('posting', item, pending)
  const [one, two, three] = await Promise.all(pending.map(async ({ name }) => await named('posting', name)))
  expect([one, two, three].map((each) => each?.user_category)).toEqual(['Shopping', 'Shopping', 'Shopping'])
  await edit('posting', two?.id ?? '', { user_category: null, hidden: false })
  await edit('posting', three?.id ?? '', { user_category: 'Mine' })
  await world.bank.change(item.plaidItemId, { post_pending: true, silent: true })
  await sync('posting', item)
  const posted = async (name: string) =>
    (await rowsOf('posting')).find((each) => !each.pending && each.name.startsWith(name))
  expect(await posted('Shop one')).toMatchObject({
    user_category: 'Shopping',
    category_rule_id: rule,
    hidden_rule_id: rule,
  })
  expect(await posted('Shop two')).toMatchObject({ user_category: null, category_rule_id: null, hidden: false })
  expect(await posted('Shop three')).toMatchObject({ user_category: 'Mine', category_rule_id: null, hidden: true })
  expect((await apply('posting')).changed).toBe(0)
})

it('a rule is previewed, applies to stored transactions, and takes the values of a deleted rule back', async () => {
  const item = await linkAndSyncSmallBank(world, 'stored')
  await add(
    'stored',
    item,
    [1, 2, 3].map((n) => ({ name: `Rent ${n}`, amount: 100 * n, date: daysAgo(n) })),
  )
  const mine = await named('stored', 'Rent 3')
  await edit('stored', mine.id, { user_category: 'Mine' })
  const draft = { contains: 'rent', user_category: 'Home' }
  const preview = z
    .object({
      checked: z.number(),
      matched: z.number(),
      kept: z.number(),
      changed: z.number(),
      data: z.array(z.looseObject({ name: z.string() })),
    })
    .parse(await ask(world.user('stored'), previewRuleRoute, { body: draft }))
  expect(preview).toMatchObject({ matched: 3, kept: 1, changed: 2 })
  expect(preview.data.map(({ name }) => name)).toEqual(['Rent 1', 'Rent 2'])
  expect((await rowsOf('stored')).filter(({ user_category: category }) => category === 'Home')).toEqual([])
  const rule = await create('stored', draft)
  const identity = world.user('stored').actor.identity
  const { newest } = await listChanges(world.services.api, identity, 0, 5000)
  expect(await apply('stored')).toMatchObject({ changed: 2, next_cursor: null })
  const changes = await listChanges(world.services.api, identity, newest, 100)
  expect(changes.changes.map(({ transaction }) => [transaction?.name, transaction?.categoryRuleId])).toEqual([
    ['Rent 2', rule],
    ['Rent 1', rule],
  ])
  expect(await named('stored', 'Rent 3')).toMatchObject({ user_category: 'Mine', category_rule_id: null })
  expect(await apply('stored')).toMatchObject({ changed: 0 })
  await ask(world.user('stored'), replaceRuleRoute, {
    params: { id: rule },
    body: { contains: 'rent 1', user_category: 'One' },
  })
  expect(await named('stored', 'Rent 2')).toMatchObject({ user_category: 'Home' })
  await apply('stored')
  expect(await named('stored', 'Rent 1')).toMatchObject({ user_category: 'One' })
  expect(await named('stored', 'Rent 2')).toMatchObject({ user_category: null, category_rule_id: null })
  await ask(world.user('stored'), deleteRuleRoute, { params: { id: rule } })
  await apply('stored')
  expect((await rowsOf('stored')).flatMap(({ user_category: category }) => category ?? [])).toEqual(['Mine'])
})

it('the list of rules keeps the order, refuses a wrong one, and more than a hundred rules', async () => {
  await linkAndSyncSmallBank(world, 'many')
  const ids: string[] = []
  for (let n = 0; n < 100; n += 1) ids.push(await create('many', { contains: `r${n}`, user_category: 'C' }))
  const list = z.object({ data: z.array(ruleRow) })
  const listed = async () => list.parse(await ask(world.user('many'), listRulesRoute)).data.map(({ id }) => id)
  expect(await listed()).toEqual(ids)
  expect(await codeOf(create('many', { contains: 'x', hidden: true }))).toBe('conflict')
  const order = async (given: readonly string[]) =>
    await ask(world.user('many'), orderRulesRoute, { body: { ids: given } })
  await order(ids.toReversed())
  expect(await listed()).toEqual(ids.toReversed())
  for (const wrong of [ids.slice(1), [...ids.slice(1), ids[1] ?? ''], [...ids.slice(1), crypto.randomUUID()]])
    expect(await codeOf(order(wrong))).toBe('validation_failed')
  expect(await listed()).toEqual(ids.toReversed())
})

it('the API refuses rules without a condition or an action, and the accounts of other users', async () => {
  await linkAndSyncSmallBank(world, 'strict')
  await linkAndSyncSmallBank(world, 'other')
  const foreign = (await accountOf('other'))[0]?.id
  for (const body of [
    { user_category: 'C' },
    { contains: 'x' },
    { contains: '', hidden: true },
    { contains: 'x'.repeat(201), hidden: true },
    { min_amount: '2', max_amount: '1.9', hidden: true },
    { account_id: foreign, hidden: true },
    { contains: 'x', hidden: true, regex: '.*' },
  ])
    expect([body, await codeOf(create('strict', body))]).toEqual([body, 'validation_failed'])
  const rule = await create('other', { account_id: foreign, hidden: true })
  const params = { id: rule }
  for (const [route, body] of [
    [replaceRuleRoute, { contains: 'x', hidden: true }],
    [deleteRuleRoute, undefined],
  ] as const)
    expect(await codeOf(ask(world.user('strict'), route, body === undefined ? { params } : { params, body }))).toBe(
      'not_found',
    )
  expect(await codeOf(ask(world.user('strict'), getAccountRoute, { params: { id: foreign ?? '' } }))).toBe('not_found')
  await apply('strict')
  expect((await rowsOf('strict')).every(({ hidden }) => !hidden)).toBe(true)
})
