// A user's edits of an account: its name, whether lists show it, and whether it counts.
import { expect, it } from 'vitest'
import * as z from 'zod'
import { editAccountRoute, getAccountRoute, listAccountsRoute } from '../../../src/http/routes/accounts.ts'
import { cashFlowRoute, netWorthRoute, spendingRoute } from '../../../src/http/routes/insights.ts'
import { listHoldingsRoute, listInvestmentTransactionsRoute } from '../../../src/http/routes/investments.ts'
import { listLiabilitiesRoute } from '../../../src/http/routes/liabilities.ts'
import { listRecurringRoute } from '../../../src/http/routes/transactions/recurring.ts'
import { applyRulesRoute, createRuleRoute } from '../../../src/http/routes/rules.ts'
import { editTransactionRoute, listTransactionsRoute } from '../../../src/http/routes/transactions/transactions.ts'
import type { Route } from '../../../src/http/route.ts'
import { listChanges } from '../../../src/db/read/changes.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { ask } from '../../support/call-route.ts'
import { codeOf, linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { allProducts, bankOf, linkAndSync } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { insight } from './insight-sums.ts'

let world: World
useWorld((made) => {
  world = made
})

const accountRow = z.looseObject({
  id: z.string(),
  name: z.string(),
  bank_name: z.string(),
  hidden: z.boolean(),
  in_insights: z.boolean(),
})
const rowList = z.object({ data: z.array(z.looseObject({ id: z.string(), account_id: z.string().optional() })) })
const oneAccount = async (subject: string, id: string) =>
  accountRow.parse(await ask(world.user(subject), getAccountRoute, { params: { id } }))
const edit = async (subject: string, id: string, body: object) =>
  accountRow.parse(await ask(world.user(subject), editAccountRoute, { params: { id }, body }))
const accountsOf = async (subject: string, query: Record<string, string> = {}) =>
  z.object({ data: z.array(accountRow) }).parse(await ask(world.user(subject), listAccountsRoute, { query })).data

/** The accounts whose rows a list has, of all pages of 500 rows that the tests need. */
async function accountsIn(subject: string, list: Route, query: Record<string, string> = {}): Promise<Set<string>> {
  const { data } = rowList.parse(await ask(world.user(subject), list, { query: { limit: '500', ...query } }))
  return new Set(data.flatMap(({ account_id: id }) => (id === undefined ? [] : [id])))
}

const counterOf = async (subject: string) =>
  Number((await world.sql('select change_seq from users where subject = $1', [subject]))[0]?.['change_seq'])

it('an edit names an account, keeps the name through syncs, and gives the name of the institution back', async () => {
  const item = await linkAndSync(world, 'namer')
  const [first] = await accountsOf('namer')
  const { id = '', bank_name: bankName } = first ?? {}
  expect(first?.name).toBe(bankName)
  const before = await counterOf('namer')
  expect(await edit('namer', id, { name: 'Household' })).toMatchObject({ name: 'Household', bank_name: bankName })
  expect(await counterOf('namer')).toBe(before + 1)
  await world.bank.change(item.plaidItemId, { add: 1 })
  await requestSync(world.user('namer'), item.id)
  await world.drain()
  expect(await oneAccount('namer', id)).toMatchObject({ name: 'Household', bank_name: bankName, hidden: false })
  expect(await edit('namer', id, { name: null })).toMatchObject({ name: bankName, bank_name: bankName })
})

it('an account keeps its edits when its bank is removed and linked again', async () => {
  const item = await linkAndSync(world, 'returner')
  const before = await accountsOf('returner')
  const [named, hidden, left] = before.map(({ id }) => id)
  await edit('returner', named ?? '', { name: 'Household' })
  await edit('returner', hidden ?? '', { hidden: true })
  await edit('returner', left ?? '', { in_insights: false })
  const edited = async () => await accountsOf('returner', { include_hidden: 'true' })
  const expected = (await edited()).map(({ id, name, hidden: isHidden, in_insights: counts }) => [
    id,
    name,
    isHidden,
    counts,
  ])
  const ctx = world.user('returner')
  await removeItem(ctx, item.id, { purge: false })
  expect(await edited()).toEqual([])
  const publicToken = await world.bank.publicToken({ username: bankOf('returner') })
  const again = await exchangePublicToken(ctx, { publicToken, institution: null })
  await world.bank.change(again.plaidItemId, { history: 'historical', silent: true })
  await world.drain()
  const after = (await edited()).map(({ id, name, hidden: isHidden, in_insights: counts }) => [
    id,
    name,
    isHidden,
    counts,
  ])
  expect(new Set(after)).toEqual(new Set(expected))
  expect([expected.filter(([, name]) => name === 'Household'), expected.filter(([, , isHidden]) => isHidden)]).toEqual([
    [[named, 'Household', false, true]],
    [[hidden, expect.anything(), true, true]],
  ])
})

it('a list leaves a hidden account and its rows out of every list, unless the request includes them', async () => {
  await linkAndSync(world, 'hider', { institution: 'ins_109508', ...allProducts })
  const lists = {
    transactions: listTransactionsRoute,
    recurring: listRecurringRoute,
    holdings: listHoldingsRoute,
    'investment transactions': listInvestmentTransactionsRoute,
    liabilities: listLiabilitiesRoute,
  }
  const changes = async () =>
    (await listChanges(world.services.api, world.user('hider').actor.identity, 0, 5000)).changes.filter(
      ({ transaction }) => transaction !== null,
    ).length
  const inFeed = await changes()
  for (const [name, list] of Object.entries(lists)) {
    const [chosen = ''] = await accountsIn('hider', list)
    await edit('hider', chosen, { hidden: true })
    const shown = await accountsIn('hider', list)
    expect([name, shown.has(chosen)]).toEqual([name, false])
    expect([name, (await accountsIn('hider', list, { include_hidden: 'true' })).has(chosen)]).toEqual([name, true])
    const named = name === 'liabilities' ? { include_hidden: 'true' } : { account_id: chosen }
    expect([name, [...(await accountsIn('hider', list, named))]]).toEqual([name, expect.arrayContaining([chosen])])
    expect((await accountsOf('hider')).map(({ id }) => id)).not.toContain(chosen)
    expect((await accountsOf('hider', { include_hidden: 'true' })).map(({ id }) => id)).toContain(chosen)
    expect((await oneAccount('hider', chosen)).hidden).toBe(true)
    await edit('hider', chosen, { hidden: false })
    expect((await accountsIn('hider', list)).has(chosen)).toBe(true)
  }
  expect(await changes()).toBe(inFeed)
})

it('an edit leaves an account out of insights, hidden or not', async () => {
  await linkAndSync(world, 'counter')
  const today = new Date().toISOString().slice(0, 10)
  const window = { from: '2025-06-01', to: today }
  const sums = async () => ({
    worth: (await insight(world, 'counter', netWorthRoute, { from: today, to: today })).data,
    flow: (await insight(world, 'counter', cashFlowRoute, window)).data,
    spending: (await insight(world, 'counter', spendingRoute, window)).data,
  })
  const all = await accountsOf('counter')
  const whole = await sums()
  expect(whole.spending.length).toBeGreaterThan(0)
  for (const { id } of all) await edit('counter', id, { hidden: true })
  expect(await sums()).toEqual(whole)
  const changed = new Set<string>()
  for (const { id } of all) {
    await edit('counter', id, { in_insights: false })
    const without = await sums()
    for (const kind of ['worth', 'flow', 'spending'] as const)
      if (JSON.stringify(without[kind]) !== JSON.stringify(whole[kind])) changed.add(kind)
    await edit('counter', id, { in_insights: true })
    expect(await sums()).toEqual(whole)
  }
  expect([...changed].toSorted()).toEqual(['flow', 'spending', 'worth'])
  for (const { id } of all) await edit('counter', id, { in_insights: false })
  expect(await sums()).toEqual({ worth: [], flow: [], spending: [] })
})

it('the route of edits refuses an empty edit, text that is no line, and the account of another user', async () => {
  await linkAndSync(world, 'refuser')
  const id = (await accountsOf('refuser'))[0]?.id ?? ''
  const editing = (subject: string, body: object) =>
    codeOf(ask(world.user(subject), editAccountRoute, { params: { id }, body }))
  for (const body of [
    {},
    { name: '' },
    { name: 'a\nb' },
    { name: 'x'.repeat(101) },
    { hidden: null },
    { type: 'credit' },
  ])
    expect([body, await editing('refuser', body)]).toEqual([body, 'validation_failed'])
  expect(await editing('stranger', { name: 'mine' })).toBe('not_found')
  expect((await oneAccount('refuser', id)).name).not.toBe('mine')
})

it('a merge keeps the edits of both rows, and the rules, when two rows become one account', async () => {
  const item = await linkAndSyncSmallBank(world, 'merged')
  const named = async (name: string) => {
    const [row] = await world.sql('select id from accounts where item_id = $1 and name = $2', [item.id, name])
    return String(row?.['id'])
  }
  const [earlier, later] = [await named('Everyday'), await named('Nest egg')]
  const ctx = world.user('merged')
  await edit('merged', earlier, { name: 'Household', in_insights: false })
  await edit('merged', later, { hidden: true })
  const rule = z
    .object({ id: z.string() })
    .parse(await ask(ctx, createRuleRoute, { body: { account_id: later, user_category: 'Rule' } })).id
  await ask(ctx, applyRulesRoute, { body: {} })
  const [mine] = await world.sql("select id from transactions where account_id = $1 and name like 'Purchase 0%'", [
    earlier,
  ])
  await ask(ctx, editTransactionRoute, { params: { id: String(mine?.['id']) }, body: { user_category: 'Mine' } })
  await world.sql('select app.merge_accounts($1, $2)', [earlier, later])
  expect(await oneAccount('merged', earlier)).toMatchObject({ name: 'Household', hidden: true, in_insights: false })
  expect(await world.sql('select account_id from rules where id = $1', [rule])).toEqual([{ account_id: earlier }])
  const rows = await world.sql(
    `select name, user_category, category_by = $2::uuid as is_by_rule from transactions
     where account_id = $1 and removed_at is null and user_category is not null order by name`,
    [earlier, rule],
  )
  expect(rows).toEqual([
    { name: 'Purchase 0 of Nest egg', user_category: 'Mine', is_by_rule: 'f' },
    { name: 'Purchase 1 of Nest egg', user_category: 'Rule', is_by_rule: 't' },
  ])
})
