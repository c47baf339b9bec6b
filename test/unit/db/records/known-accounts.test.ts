// The order of the statements with which a link reads the user's accounts. Each statement of a batch sees what was
// committed before it.
import { afterEach, expect, it, vi } from 'vitest'
import * as z from 'zod'
import { connect } from '../../../../src/db/core/client.ts'
import { readAccountsAndItem, readKnownAccounts } from '../../../../src/db/records/known-accounts.ts'

const user = '00000000-0000-4000-8000-000000000001'
const jobs = connect('wn_jobs', 'postgres://wn_jobs:password@db.localtest.me/wn', null)
const bodySchema = z.object({ queries: z.array(z.object({ query: z.string() })) })

/** The statements of the next batch, which finds no row. */
function recordBatch(): string[] {
  const statements: string[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    const { queries } = bodySchema.parse(JSON.parse(z.string().parse(init?.body)))
    statements.push(...queries.map(({ query }) => query))
    const nothing = { command: 'SELECT', rowCount: 0, rows: [], fields: [], rowAsArray: true }
    return Response.json({ results: queries.map(() => nothing) })
  })
  return statements
}

afterEach(() => {
  vi.restoreAllMocks()
})

it.each([
  ['alone', () => readKnownAccounts(jobs, user)],
  ['with the item', () => readAccountsAndItem(jobs, user, 'plaid-item')],
])(
  'a link reads the version of the accounts before the accounts, so that a link between them is noticed: %s',
  async (_, read) => {
    const statements = recordBatch()
    await read()
    const versionAt = statements.findIndex((text) => text.includes('as version'))
    const accountsAt = statements.findIndex((text) => text.includes('order by a.created_at'))
    expect(versionAt).toBeGreaterThanOrEqual(0)
    expect(accountsAt).toBeGreaterThan(versionAt)
  },
)
