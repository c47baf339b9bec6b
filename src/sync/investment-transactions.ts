// Reads /investments/transactions/get over its longest window, page by page. Cancellations are not told one by one, so
// the whole window is compared.
import { writeAccounts } from '../db/accounts.ts'
import {
  type InvestmentTransactionFacts,
  mergeInvestmentTransactions,
  mergeSecurities,
} from '../db/investments-merge.ts'
import { rebindInvestmentTransactions } from '../db/relink.ts'
import { renewLease } from '../db/sync-work.ts'
import type { PlaidAccount, PlaidInvestmentTransaction, PlaidSecurity } from '../plaid/schemas.ts'
import { accountFacts } from './account-facts.ts'
import { createPager } from './pages.ts'
import { localFailure, noteAnswer, type ReadAnswer, type Run, snapshotEnd } from './run.ts'
import { securityFacts } from './security-facts.ts'

/** Plaid tells 24 months at most. */
const windowDays = 730
const maxPages = 200
const maxRestarts = 3

interface Window {
  readonly from: string
  readonly to: string
}

/** Until tomorrow in UTC, because the bank's day may be ahead of it. */
function windowAt(now: Date): Window {
  const dayAt = (offset: number): string => new Date(now.getTime() + offset * 86_400_000).toISOString().slice(0, 10)
  return { from: dayAt(1 - windowDays), to: dayAt(1) }
}

export async function readInvestmentTransactions(run: Run): Promise<ReadAnswer> {
  const window = windowAt(run.ctx.now())
  const pages = { total: -1, accounts: new Map<string, PlaidAccount>(), securities: new Map<string, PlaidSecurity>() }
  const transactions = new Map<string, PlaidInvestmentTransaction>()
  const askFor = createPager(run)
  for (let page = 0, offset = 0; page < maxPages; page += 1) {
    if (page > 0 && !(await renewLease(run.ctx.services.jobs, run.lease))) return { kind: 'lease_lost' }
    const from = offset
    const result = await askFor(page, () => run.plaid.getInvestmentTransactions(run.token, { ...window, offset: from }))
    if (result === null) return { kind: 'lease_lost' }
    noteAnswer(run.tally, result)
    if (!result.ok) return { kind: 'failed', failure: result.failure }
    const { value } = result
    if (pages.total !== -1 && value.total_investment_transactions !== pages.total) {
      // Something came or went between two pages: offsets have shifted, so nothing read so far can be trusted.
      if (run.tally.restarts >= maxRestarts)
        return { kind: 'failed', failure: localFailure('retry', 'WINDOW_KEEPS_CHANGING') }
      run.tally.restarts += 1
      transactions.clear()
      Object.assign(pages, { total: -1 })
      offset = 0
      continue
    }
    pages.total = value.total_investment_transactions
    for (const account of value.accounts) pages.accounts.set(account.account_id, account)
    for (const security of value.securities) pages.securities.set(security.security_id, security)
    for (const transaction of value.investment_transactions)
      transactions.set(transaction.investment_transaction_id, transaction)
    offset += value.investment_transactions.length
    if (offset >= pages.total) return commitOf(run, window, pages, transactions)
    if (value.investment_transactions.length === 0)
      return { kind: 'failed', failure: localFailure('retry', 'WINDOW_INCOMPLETE') }
  }
  return { kind: 'failed', failure: localFailure('ours', 'TOO_MANY_PAGES') }
}

function commitOf(
  run: Run,
  window: Window,
  pages: { accounts: Map<string, PlaidAccount>; securities: Map<string, PlaidSecurity> },
  transactions: Map<string, PlaidInvestmentTransaction>,
): ReadAnswer {
  const { jobs } = run.ctx.services
  const facts = [...transactions.values()].map(factsOf)
  return {
    kind: 'read',
    end: snapshotEnd,
    statements: [
      ...writeAccounts(jobs, run.lease, accountFacts([...pages.accounts.values()]), false),
      mergeSecurities(jobs, run.lease, securityFacts([...pages.securities.values()])),
      ...(run.lease.linkEpoch === 0 ? [] : [rebindInvestmentTransactions(jobs, run.lease, facts)]),
      mergeInvestmentTransactions(jobs, run.lease, window, facts),
    ],
    raise: null,
  }
}

function factsOf(transaction: PlaidInvestmentTransaction): InvestmentTransactionFacts {
  return {
    plaidInvestmentTransactionId: transaction.investment_transaction_id,
    plaidAccountId: transaction.account_id,
    plaidSecurityId: transaction.security_id,
    date: transaction.date,
    name: transaction.name,
    quantity: transaction.quantity,
    amount: transaction.amount,
    price: transaction.price,
    fees: transaction.fees,
    type: transaction.type,
    // An older version of Plaid's API has no subtype.
    subtype: transaction.subtype ?? transaction.type,
    isoCurrencyCode: transaction.iso_currency_code,
    unofficialCurrencyCode: transaction.unofficial_currency_code,
  }
}
