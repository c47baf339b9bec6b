// Changes Plaid's responses on their way, for values that Plaid may send and its simulator does not. Syncs one product
// on request.
import type { Item } from '../../src/db/items/items.ts'
import type { Plaid } from '../../src/plaid/endpoints.ts'
import type { Services } from '../../src/context.ts'
import { withPlaid } from './with-plaid.ts'
import type { World } from './world.ts'

export type PlaidValue<Name extends keyof Plaid> = Extract<Awaited<ReturnType<Plaid[Name]>>, { ok: true }>['value']

type InvestmentTransactions = PlaidValue<'getInvestmentTransactions'>
type InvestmentTransaction = InvestmentTransactions['investment_transactions'][number]

export interface OddAnswers {
  /** Services with changed calls to Plaid. */
  withPlaid(change: Partial<Plaid>): Services
  /** Services that get changed pages of transactions. */
  withPages(change: (page: PlaidValue<'syncTransactions'>) => PlaidValue<'syncTransactions'>): Services
  /** Syncs one product of the item, even when it is not dirty. */
  sync(item: Item, product: string, services?: Services): Promise<void>
  /** The bank's investment transactions, as a template for changed ones. */
  investmentTransactions(item: Item): Promise<InvestmentTransactions & { readonly first: InvestmentTransaction }>
  /** Deletes the cursor, so that the next run reads everything. */
  forgetCursor(item: Item): Promise<void>
  lastRun(item: Item): Promise<Record<string, unknown> | undefined>
}

export function oddAnswers(world: World): OddAnswers {
  const odd: OddAnswers = {
    withPlaid: (change) => withPlaid(world.services, change),
    withPages: (change) =>
      withPlaid(world.services, {
        async syncTransactions(...args) {
          const answer = await world.services.plaid.syncTransactions(...args)
          return answer.ok ? { ...answer, value: change(answer.value) } : answer
        },
      }),
    async sync(item, product, services = world.services) {
      const [row] = await world.sql(
        `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now() where item_id = $1 and product = $2 returning id`,
        [item.id, product],
      )
      await services.enqueue([String(row?.['id'])], 'user')
      await world.drain(services)
    },
    async investmentTransactions(item) {
      let seen: InvestmentTransactions | undefined
      const watched = withPlaid(world.services, {
        async getInvestmentTransactions(...args) {
          const answer = await world.services.plaid.getInvestmentTransactions(...args)
          if (answer.ok) seen ??= answer.value
          return answer
        },
      })
      await odd.sync(item, 'investment_transactions', watched)
      const [first] = seen?.investment_transactions ?? []
      if (seen === undefined || first === undefined) throw new Error('The bank has no investment transactions.')
      return { ...seen, first }
    },
    async forgetCursor(item) {
      await world.sql("update item_products set cursor = null where item_id = $1 and product = 'transactions'", [
        item.id,
      ])
    },
    async lastRun(item) {
      const [run] = await world.sql(
        'select outcome, error_code, upserted, removed from sync_runs where item_id = $1 order by finished_at desc limit 1',
        [item.id],
      )
      return run
    },
  }
  return odd
}
