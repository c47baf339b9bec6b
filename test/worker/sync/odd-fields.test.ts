// How empty fields of a transaction are stored.
import { afterEach, expect, it } from 'vitest'
import { listAccounts } from '../../../src/db/records/accounts.ts'
import { cashFlow } from '../../../src/db/read/insights.ts'
import { everyTransaction } from '../../support/equality.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { linkAndSync } from '../../support/linked.ts'
import { type OddAnswers, oddAnswers } from '../../support/odd-answers.ts'
import type { World } from '../../support/world.ts'

let world: World
let odd: OddAnswers
useWorld((made) => {
  world = made
  odd = oddAnswers(made)
})
afterEach(() => world.bank.clearAlterations())

const today = new Date().toISOString().slice(0, 10)

/** The single new transaction of a user, after changes to its fields. */
async function received(subject: string, change: Record<string, unknown>) {
  const item = await linkAndSync(world, subject)
  const row = { name: 'SQ *KIOSK', merchant_name: 'Kiosk', amount: 12.5, date: today }
  const { added } = await world.bank.change(item.plaidItemId, { add: [row], silent: true })
  for (const [field, value] of Object.entries(change))
    await world.bank.alter({ endpoint: '/transactions/sync', path: `added[0].${field}`, value })
  await odd.sync(item, 'transactions')
  return (await everyTransaction(world, subject)).find(({ plaidTransactionId }) => plaidTransactionId === added[0])
}

it.each([
  ['""', '', 'Kiosk'],
  ['blank', '  ', 'Kiosk'],
  ['null', null, 'Kiosk'],
  ['given', 'SQ *KIOSK 12', 'SQ *KIOSK 12'],
])('a name that is %s is the merchant’s where the bank has none', async (how, name, expected) => {
  expect(await received(`name ${how}`, { name })).toMatchObject({ name: expected, merchantName: 'Kiosk' })
})

it('a transaction without name and merchant is stored', async () => {
  const row = await received('no name at all', { name: '', merchant_name: '' })
  expect(row).toMatchObject({ name: '', merchantName: null, amount: '12.5' })
})

it('an empty currency is none, and its amounts count under none', async () => {
  const subject = 'empty currency'
  const row = await received(subject, { iso_currency_code: '', unofficial_currency_code: '' })
  expect(row?.currency).toBeNull()
  const { identity } = world.user(subject).actor
  const flow = await cashFlow(world.services.api, identity, { from: today, to: today }, 'day')
  expect(flow.find(({ currency }) => currency === null)).toMatchObject({ outflow: '12.5' })
})

it('an empty currency gives way to the other one', async () => {
  const change = { iso_currency_code: '', unofficial_currency_code: 'DOGE' }
  expect((await received('unofficial', change))?.currency).toBe('DOGE')
})

it('an account with an empty currency has none', async () => {
  const path = 'accounts[*].balances.iso_currency_code'
  await world.bank.alter({ endpoint: '*', path, value: '' })
  await linkAndSync(world, 'account currency')
  const { rows } = await listAccounts(world.services.api, world.user('account currency').actor.identity, 100, null)
  expect(new Set(rows.map(({ currency }) => currency))).toEqual(new Set([null]))
})
