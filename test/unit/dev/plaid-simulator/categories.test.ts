// The two taxonomies of categories in responses, by the client's age and by the request.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { openDesk } from './bank-desk.ts'

const category = z.object({ primary: z.string(), detailed: z.string(), version: z.string() })
const page = z.object({ added: z.array(z.looseObject({ name: z.string(), personal_finance_category: category })) })

test.each([
  ['v2', undefined, 'v2'],
  ['v2', 'v1', 'v2'],
  ['v1', undefined, 'v1'],
  ['v1', 'v2', 'v2'],
  ['v1', 'v1', 'v1'],
] as const)('a client of %s that asks for %s gets %s everywhere', async (categoryVersion, wanted, expected) => {
  const desk = await openDesk({ categoryVersion })
  const { access_token, item_id } = await desk.link()
  const loan = { primary: 'LOAN_DISBURSEMENTS', detailed: 'LOAN_DISBURSEMENTS_AUTO', confidence_level: 'HIGH' }
  const add = [{ name: 'LOAN', personal_finance_category: loan }]
  await desk.control(`/items/${item_id}/bank`, { history: 'historical', add })
  const options = wanted === undefined ? {} : { options: { personal_finance_category_version: wanted } }
  const read = async (path: string, body: object) => (await desk.post(path, { access_token, ...options, ...body })).body
  const { added } = page.parse(await read('/transactions/sync', { count: 500 }))
  expect(new Set(added.map((row) => row.personal_finance_category.version))).toEqual(new Set([expected]))
  const paid = added.find(({ name }) => name === 'LOAN')?.personal_finance_category
  expect(paid?.primary).toBe(expected === 'v2' ? 'LOAN_DISBURSEMENTS' : 'TRANSFER_IN')
  const wages = added.filter((row) => row.personal_finance_category.primary === 'INCOME')
  expect(wages.map((row) => row.personal_finance_category.detailed)).toContain(
    expected === 'v2' ? 'INCOME_SALARY' : 'INCOME_WAGES',
  )
  const window = { start_date: '2000-01-01', end_date: '2100-01-01' }
  expect(JSON.stringify(await read('/transactions/get', window))).toContain(`"version":"${expected}"`)
  expect(await read('/transactions/recurring/get', {})).toMatchObject({ personal_finance_category_version: expected })
})
