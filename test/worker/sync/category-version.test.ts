// Insights count the same money with either of Plaid's two taxonomies of categories.
import { afterEach, describe, expect, it } from 'vitest'
import { cashFlow } from '../../../src/db/read/insights.ts'
import { listRecurring } from '../../../src/db/records/recurring.ts'
import { listTransactions } from '../../../src/db/records/transactions.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await world.bank.clearAlterations()
  await world.bank.client({ category_version: 'v2' })
})

const loanCategory = {
  primary: 'LOAN_DISBURSEMENTS',
  detailed: 'LOAN_DISBURSEMENTS_PERSONAL',
  confidence_level: 'HIGH',
}
const today = new Date().toISOString().slice(0, 10)
/** A currency that no other account of the bank has. */
const currency = { iso_currency_code: null, unofficial_currency_code: 'LOANS' }

/** A user who got a loan of 9,000 and wages of 5 on one day. */
async function borrower(subject: string) {
  const item = await linkAndSync(world, subject)
  const loan = { name: 'LOAN', amount: -9000, personal_finance_category: loanCategory }
  const wages = {
    name: 'WAGES',
    amount: -5,
    personal_finance_category: { ...loanCategory, primary: 'INCOME', detailed: 'INCOME_SALARY' },
  }
  const add = [loan, wages].map((row) => ({ ...row, ...currency, date: today }))
  await world.bank.change(item.plaidItemId, { add, silent: true })
  await requestSync(world.user(subject), item.id)
  await world.drain()
  const { identity } = world.user(subject).actor
  const found = await listTransactions(world.services.api, identity, { from: today, to: today }, 500, null)
  const flow = await cashFlow(world.services.api, identity, { from: today, to: today }, 'day')
  return {
    inflow: flow.filter((row) => row.currency === 'LOANS').map(({ inflow }) => inflow),
    categories: found.rows
      .filter((row) => row.currency === 'LOANS')
      .map(({ name, categoryPrimary, categoryVersion }) => [name, categoryPrimary, categoryVersion])
      .toSorted(([left = ''], [right = '']) => ((left ?? '') < (right ?? '') ? -1 : 1)),
  }
}

describe('a loan that was paid out', () => {
  it.each(['v1', 'v2'])(
    'is no income of a client whose default is %s, and has the version that was asked for',
    async (version) => {
      await world.bank.client({ category_version: version })
      expect(await borrower(`default ${version}`)).toEqual({
        inflow: ['5'],
        categories: [
          ['LOAN', 'LOAN_DISBURSEMENTS', 'v2'],
          ['WAGES', 'INCOME', 'v2'],
        ],
      })
    },
  )

  it('is no income even if Plaid uses the first taxonomy', async () => {
    const first = { primary: 'TRANSFER_IN', detailed: 'TRANSFER_IN_CASH_ADVANCES_AND_LOANS', version: 'v1' }
    await world.bank.alter({
      endpoint: '/transactions/sync',
      path: 'added[name=LOAN].personal_finance_category',
      value: first,
    })
    const { inflow, categories } = await borrower('answers v1')
    expect(inflow).toEqual(['5'])
    expect(categories[0]).toEqual(['LOAN', 'TRANSFER_IN', 'v1'])
  })

  it('has no version where Plaid does not say it', async () => {
    const path = 'added[*].personal_finance_category.version'
    await world.bank.alter({ endpoint: '/transactions/sync', path, remove: true })
    const { inflow, categories } = await borrower('says no version')
    expect(inflow).toEqual(['5'])
    expect(categories[0]).toEqual(['LOAN', 'LOAN_DISBURSEMENTS', null])
  })
})

describe('recurring payments', () => {
  it('have the categories of the second taxonomy for a client whose default is v1', async () => {
    await world.bank.client({ category_version: 'v1' })
    await linkAndSync(world, 'recurring')
    const { identity } = world.user('recurring').actor
    const { rows } = await listRecurring(world.services.api, identity, {}, 100, null)
    const details = rows.map(({ categoryDetailed }) => categoryDetailed)
    expect(details).toContain('INCOME_SALARY')
    expect(details).not.toContain('INCOME_WAGES')
  })
})
