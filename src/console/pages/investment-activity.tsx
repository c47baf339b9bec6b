// What was bought, sold, paid out and charged in the investment accounts, newest first.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Account, InvestmentTransaction } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { investmentTransactionsQuery } from '../api/investments.ts'
import { accountsQuery } from '../api/queries.ts'
import { isZero } from '../format/decimal.ts'
import { accountIdIn } from '../format/ids.ts'
import { formatDecimal, formatMoney, isNegative, negated } from '../format/money.ts'
import { capitalized } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { AccountFilter } from '../ui/account-filter.tsx'
import { Days, LedgerRow } from '../ui/ledger.tsx'
import { Flow } from '../ui/money.tsx'
import { Page } from '../ui/page.tsx'
import { Paged } from '../ui/paged.tsx'
import { investmentTabs, Tabs } from '../ui/tabs.tsx'

/** `Sell`, or the kind beside the type where it says more: `Cash: dividend`. */
const kindOf = ({ type, subtype }: InvestmentTransaction): string =>
  subtype === '' || subtype === type ? capitalized(type) : `${capitalized(type)}: ${subtype}`

function unitsOf({ quantity, price, currency, security }: InvestmentTransaction): string | null {
  if (security === null || isZero(quantity)) return null
  const units = formatDecimal(isNegative(quantity) ? negated(quantity) : quantity)
  return price === null || isZero(price) ? `${units} units` : `${units} × ${formatMoney(price, currency)}`
}

const feesOf = ({ fees, currency }: InvestmentTransaction): string | null =>
  fees === null || isZero(fees) ? null : `with ${formatMoney(fees, currency)} of fees`

function Investment({ row, account }: { readonly row: InvestmentTransaction; readonly account: Account | undefined }) {
  const details = [kindOf(row), row.security?.ticker_symbol ?? null, unitsOf(row), account?.name ?? null]
  return (
    <LedgerRow
      title={row.name === '' ? (row.security?.name ?? 'Unnamed') : row.name}
      lines={[details.filter((text) => text !== null).join(' · '), feesOf(row)]}
      aside={<Flow amount={row.amount} currency={row.currency} />}
      links={
        <>
          <Link to={`/accounts/${row.account_id}`}>See the account</Link>
          <Link to={`/investments?account_id=${row.account_id}`}>Its holdings</Link>
        </>
      }
      ids={[
        { label: 'Investment transaction', value: row.id },
        { label: 'Plaid investment transaction', value: row.plaid_investment_transaction_id },
        { label: 'Account', value: row.account_id },
      ]}
    />
  )
}

export default function InvestmentActivity() {
  const client = useClient()
  const [params] = useSearch()
  const accountId = accountIdIn(params)
  const query = useInfiniteQuery(investmentTransactionsQuery(client, accountId))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  const empty =
    accountId === undefined
      ? { title: 'There is no activity', text: 'Purchases, sales, dividends and fees appear here.' }
      : { title: 'Nothing matches', text: 'Choose another account.' }
  return (
    <Page title="Investment activity">
      <Tabs label="Investments" tabs={investmentTabs} />
      <AccountFilter accounts={accounts} types={['investment']} />
      <Paged query={query} label="the activity" empty={empty}>
        {(rows) => (
          <section className="card">
            <h2 className="visually-hidden">All activity</h2>
            <Days rows={rows} dayOf={({ date }) => date}>
              {(row) => <Investment key={row.id} row={row} account={byId.get(row.account_id)} />}
            </Days>
          </section>
        )}
      </Paged>
    </Page>
  )
}
