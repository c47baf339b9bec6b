// What was bought, sold, paid out and charged in the investment accounts, newest first.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Account, InvestmentTransaction } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { investmentTransactionsQuery } from '../api/investments.ts'
import { accountsQuery } from '../api/queries.ts'
import { formatDay, formatLongDay } from '../format/dates.ts'
import { isZero } from '../format/decimal.ts'
import { formatDecimal, formatMoney, isNegative, negated } from '../format/money.ts'
import { capitalized } from '../format/words.ts'
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

function Row({ row, account }: { readonly row: InvestmentTransaction; readonly account: Account | undefined }) {
  const details = [kindOf(row), row.security?.ticker_symbol ?? null, unitsOf(row), account?.name ?? null]
  return (
    <li className="entry">
      <span>
        <span className="name">{row.name === '' ? (row.security?.name ?? 'Unnamed') : row.name}</span>
        <span className="sub">{details.filter((text) => text !== null).join(' · ')}</span>
        {row.fees === null || isZero(row.fees) ? null : (
          <span className="sub">with {formatMoney(row.fees, row.currency)} of fees</span>
        )}
      </span>
      <Flow amount={row.amount} currency={row.currency} />
    </li>
  )
}

function Days({ rows }: { readonly rows: readonly InvestmentTransaction[] }) {
  const { data: accounts = [] } = useQuery(accountsQuery(useClient()))
  const byId = new Map(accounts.map((account) => [account.id, account]))
  return [...Map.groupBy(rows, ({ date }) => date)].map(([date, ofDay]) => (
    <section key={date} className="day" aria-label={formatDay(date)}>
      <h3>{formatLongDay(date)}</h3>
      <ul className="ledger">
        {ofDay.map((row) => (
          <Row key={row.id} row={row} account={byId.get(row.account_id)} />
        ))}
      </ul>
    </section>
  ))
}

export default function InvestmentActivity() {
  const query = useInfiniteQuery(investmentTransactionsQuery(useClient()))
  return (
    <Page title="Investment activity">
      <Tabs label="Investments" tabs={investmentTabs} />
      <Paged
        query={query}
        label="the activity"
        empty={{ title: 'There is no activity', text: 'Purchases, sales, dividends and fees appear here.' }}
      >
        {(rows) => (
          <section className="card">
            <h2 className="visually-hidden">All activity</h2>
            <Days rows={rows} />
          </section>
        )}
      </Paged>
    </Page>
  )
}
