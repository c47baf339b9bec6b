// Assertions about /transactions/sync: cursors, pages, the restart after a change between two pages, the versions of
// categories.
import * as z from 'zod'
import { type Assertion, expectEqual, expectThat, uncheckable } from '../assertion.ts'
import { addedIds, sync, syncAll, syncPage, waitForHistory } from './ready.ts'
import { bodyOf, errorOf, type PlaidTarget } from './target.ts'

const docs = 'https://plaid.com/docs/api/products/transactions/#transactionssync'
const categories = 'https://plaid.com/docs/transactions/pfc-migration'
const pageSize = 10

const versions = z.object({
  added: z.array(z.object({ personal_finance_category: z.object({ version: z.string() }).nullish() })),
})

async function history(target: PlaidTarget): Promise<string> {
  const { accessToken } = await target.sharedItem()
  await waitForHistory(target, accessToken)
  return accessToken
}

async function categoryVersions(target: PlaidTarget, version: string): Promise<string[]> {
  const accessToken = await history(target)
  const options = { personal_finance_category_version: version }
  const response = await target.call(sync, { access_token: accessToken, count: 100, options })
  const { added } = versions.parse(bodyOf(sync, response))
  return [...new Set(added.flatMap(({ personal_finance_category: category }) => category?.version ?? []))]
}

export const syncAssertions: readonly Assertion<PlaidTarget>[] = [
  {
    name: 'plaid/sync-before-history',
    promise: 'The first call for a new item succeeds, with rows or with an empty cursor that means the start.',
    source: docs,
    certainty: 'likely',
    async check(target) {
      const { accessToken } = await target.item({ products: ['transactions'] })
      const page = await syncPage(target, { access_token: accessToken, options: { days_requested: 730 } })
      const isEmpty = page.added.length === 0
      expectThat('rows, or an empty cursor', !isEmpty || page.next_cursor === '', page.next_cursor.length)
    },
  },
  {
    name: 'plaid/sync-pages',
    promise: 'From an empty cursor the pages hold each transaction once; the last cursor has nothing after it.',
    source: docs,
    certainty: 'sure',
    async check(target) {
      const accessToken = await history(target)
      const pages = await syncAll(target, accessToken, '', 500)
      const ids = addedIds(pages)
      expectThat('transactions', ids.length > 0, ids.length)
      expectEqual('distinct ids', new Set(ids).size, ids.length)
      const after = await syncPage(target, { access_token: accessToken, cursor: pages.at(-1)?.next_cursor ?? '' })
      const rows = [after.added, after.modified, after.removed].map(({ length }) => length)
      expectEqual('rows and has_more after the end', [rows, after.has_more], [[0, 0, 0], false])
    },
  },
  {
    name: 'plaid/sync-from-start-again',
    promise: 'No cursor, an empty cursor and other page sizes read the same transactions.',
    source: docs,
    certainty: 'likely',
    async check(target) {
      const accessToken = await history(target)
      const ids = async (count: number) => addedIds(await syncAll(target, accessToken, '', count)).toSorted()
      expectEqual('ids by pages of 500 and 250', await ids(500), await ids(250))
      const [absent, empty] = [{}, { cursor: '' }].map((cursor) =>
        syncPage(target, { access_token: accessToken, count: pageSize, ...cursor }),
      )
      expectEqual('first page without a cursor', await absent, await empty)
    },
  },
  {
    name: 'plaid/sync-cursor-repeats',
    promise: 'The same cursor returns the same page again.',
    source: docs,
    certainty: 'likely',
    async check(target) {
      const accessToken = await history(target)
      const { next_cursor: cursor } = await syncPage(target, { access_token: accessToken, count: pageSize })
      const page = { access_token: accessToken, cursor, count: pageSize }
      const ids = async () => addedIds([await syncPage(target, page)])
      expectEqual('ids', await ids(), await ids())
    },
  },
  {
    name: 'plaid/sync-count-limit',
    promise: 'A `count` above 500 is INVALID_FIELD.',
    source: docs,
    certainty: 'likely',
    async check(target) {
      const response = await target.call(sync, { access_token: await history(target), count: 501 })
      expectEqual('response', errorOf(response), '400 INVALID_REQUEST INVALID_FIELD')
    },
  },
  {
    name: 'plaid/sync-unknown-cursor',
    promise: 'A cursor that Plaid did not give is INVALID_FIELD.',
    source: docs,
    certainty: 'open',
    async check(target) {
      const response = await target.call(sync, { access_token: await history(target), cursor: 'no-such-cursor' })
      expectEqual('response', errorOf(response), '400 INVALID_REQUEST INVALID_FIELD')
    },
  },
  {
    name: 'plaid/sync-mutation',
    promise: 'A change between two pages is TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION; the first cursor reads on.',
    source: 'https://plaid.com/docs/errors/transactions/#transactions_sync_mutation_during_pagination',
    certainty: 'likely',
    async check(target) {
      if (target.control === null) throw uncheckable('the sandbox has no way to change the bank between two pages')
      const { accessToken } = await target.item({ products: ['transactions'] })
      await waitForHistory(target, accessToken)
      const { next_cursor: cursor } = await syncPage(target, { access_token: accessToken, count: pageSize })
      await target.control('/faults', { endpoint: sync, mutate_during_pagination: true })
      const response = await target.call(sync, { access_token: accessToken, cursor, count: pageSize })
      const expected = '400 TRANSACTIONS_ERROR TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION'
      expectEqual('response', errorOf(response), expected)
      expectThat('all pages again', addedIds(await syncAll(target, accessToken, '', 500)).length > 0, 'none')
    },
  },
  {
    name: 'plaid/category-version-2',
    promise: 'personal_finance_category_version `v2` is accepted, and each category names it.',
    source: categories,
    certainty: 'likely',
    async check(target) {
      expectEqual('versions', await categoryVersions(target, 'v2'), ['v2'])
    },
  },
  {
    name: 'plaid/category-version-1',
    promise: 'personal_finance_category_version `v1` returns v1, or v2 to customers since December 2025.',
    source: categories,
    certainty: 'open',
    async check(target) {
      const seen = await categoryVersions(target, 'v1')
      expectThat('v1 or v2', seen.length === 1 && /^v[12]$/.test(seen[0] ?? ''), seen)
      return seen[0]
    },
  },
]
