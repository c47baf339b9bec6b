// What the bank holds now, in Plaid's shapes: the data that every client must have after a complete sync.
import { completeHistory } from '../items/history.ts'
import { streamsIn } from '../items/streams.ts'
import { type Item, openAccounts, transactionView } from '../state/item.ts'
import type { World } from '../state/world.ts'

/** Open and shared accounts, and the transactions that a full sync returns once the history has arrived. */
export function truthOf(world: World, item: Item) {
  const transactions = completeHistory(world, item)
  return {
    item_id: item.itemId,
    institution_id: item.institution.id,
    status: item.status,
    accounts: openAccounts(item),
    transactions: transactions.map((transaction) => transactionView(transaction, false)),
    securities: item.bank.securities(),
    holdings: item.bank.holdings(),
    investment_transactions: item.bank.investmentTransactions(),
    liabilities: item.bank.liabilities(),
    recurring_streams: streamsIn(world, item, transactions),
  }
}
