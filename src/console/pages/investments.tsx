// The holdings by account, with what they are worth and how they developed.
import { useQuery } from '@tanstack/react-query'
import type { Account, Holding } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { holdingsQuery } from '../api/investments.ts'
import { accountsQuery } from '../api/queries.ts'
import { ConnectButton } from '../connect/button.tsx'
import { formatDay } from '../format/dates.ts'
import { compare, difference, sumOf } from '../format/decimal.ts'
import { accountIdIn } from '../format/ids.ts'
import { type Decimal, formatDecimal, negated } from '../format/money.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { AccountFilter } from '../ui/account-filter.tsx'
import { IdsRow } from '../ui/ids.tsx'
import { Flow, Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Await, Empty } from '../ui/states.tsx'
import { investmentTabs, Tabs } from '../ui/tabs.tsx'

const nameOf = ({ security: { name, ticker_symbol: ticker } }: Holding): string => name ?? ticker ?? 'Unnamed security'

/** What the holding is worth beyond its cost; null where the bank does not say what it cost. */
const gainOf = ({ institution_value: value, cost_basis: cost }: Holding): Decimal | null =>
  cost === null ? null : difference(value, cost)

function Row({ holding }: { readonly holding: Holding }) {
  const { security, quantity, currency, institution_price: price, institution_price_as_of: asOf } = holding
  const gain = gainOf(holding)
  return (
    <>
      <tr>
        <th scope="row">
          {nameOf(holding)}{' '}
          {security.ticker_symbol === null ? null : <span className="tag">{security.ticker_symbol}</span>}
          <span className="sub">
            {formatDecimal(quantity)}
            {price === null ? null : (
              <>
                {' × '}
                <Money amount={price} currency={currency} />
              </>
            )}
            {asOf === null ? null : ` on ${formatDay(asOf)}`}
          </span>
        </th>
        <td className="number wide-only">
          {gain === null ? (
            <span className="muted">not reported</span>
          ) : (
            <Flow amount={negated(gain)} currency={currency} />
          )}
        </td>
        <td className="number strong">
          <Money amount={holding.institution_value} currency={currency} />
          {gain === null ? null : (
            <span className="sub narrow-only">
              <Flow amount={negated(gain)} currency={currency} />
            </span>
          )}
        </td>
      </tr>
      <IdsRow
        of={nameOf(holding)}
        ids={[
          { label: 'Holding', value: holding.id },
          { label: 'Account', value: holding.account_id },
        ]}
      />
    </>
  )
}

function AccountCard({
  account,
  holdings,
}: {
  readonly account: Account | undefined
  readonly holdings: readonly Holding[]
}) {
  const title = account?.name ?? 'Account'
  return (
    <Card
      title={title}
      actions={
        account === undefined ? undefined : (
          <>
            <Link to={`/investments/activity?account_id=${account.id}`}>Its activity</Link>
            <Link to={`/accounts/${account.id}`}>See the account</Link>
          </>
        )
      }
    >
      <table className="rows">
        <caption className="visually-hidden">Holdings of {title}</caption>
        <thead>
          <tr>
            <th scope="col">Security</th>
            <th scope="col" className="number wide-only">
              Gain
            </th>
            <th scope="col" className="number">
              Value
            </th>
          </tr>
        </thead>
        <tbody>
          {holdings
            .toSorted((a, b) => compare(b.institution_value, a.institution_value))
            .map((holding) => (
              <Row key={holding.id} holding={holding} />
            ))}
        </tbody>
      </table>
    </Card>
  )
}

function Total({ holdings }: { readonly holdings: readonly Holding[] }) {
  return (
    <Card title="Value of all holdings">
      {[...Map.groupBy(holdings, ({ currency }) => currency)].map(([currency, rows]) => {
        const gains = rows.flatMap((row) => gainOf(row) ?? [])
        return (
          <div key={currency} className="worth">
            <p className="hero">
              <Money amount={sumOf(rows.map((row) => row.institution_value))} currency={currency} />
            </p>
            {gains.length === 0 ? null : (
              <p className="muted">
                <Flow amount={negated(sumOf(gains))} currency={currency} /> since they were bought
                {gains.length === rows.length ? null : `, for the ${gains.length} of ${rows.length} with a known cost`}
              </p>
            )}
          </div>
        )
      })}
    </Card>
  )
}

export default function Investments() {
  const client = useClient()
  const chosen = accountIdIn(useSearch()[0])
  const query = useQuery(holdingsQuery(client, chosen))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  return (
    <Page title="Investments">
      <Tabs label="Investments" tabs={investmentTabs} />
      <AccountFilter accounts={accounts} types={['investment']} />
      <Await query={query} label="Loading your holdings">
        {(holdings) => {
          if (holdings.length > 0)
            return (
              <>
                <Total holdings={holdings} />
                {[...Map.groupBy(holdings, ({ account_id: id }) => id)].map(([id, rows]) => (
                  <AccountCard key={id} account={accounts.find((each) => each.id === id)} holdings={rows} />
                ))}
              </>
            )
          return chosen !== undefined ? (
            <Empty title="This account has no holdings">Choose another account.</Empty>
          ) : (
            <Empty title="There are no holdings" action={accounts.length === 0 ? <ConnectButton /> : undefined}>
              Stocks, funds and other holdings of your investment accounts appear here.
            </Empty>
          )
        }}
      </Await>
    </Page>
  )
}
