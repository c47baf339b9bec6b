// The first page: what the person owns and owes, how it developed, which banks need them, and the newest transactions.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { Account, Item, NetWorth } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { accountsQuery, itemsQuery, netWorthQuery, transactionsQuery } from '../api/queries.ts'
import { BankNotice } from '../banks/notice.tsx'
import { ConnectButton } from '../connect/button.tsx'
import { daysAgo, formatDay } from '../format/dates.ts'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { TransactionRows } from '../transactions/rows.tsx'
import { AwaitInsights } from '../ui/await-insights.tsx'
import { Chart } from '../ui/chart.tsx'
import { Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Segments } from '../ui/segments.tsx'
import { Await, Empty, Failed, Loading } from '../ui/states.tsx'

const ranges = [
  { key: '1m', label: '1 month', days: 30 },
  { key: '3m', label: '3 months', days: 91 },
  { key: '1y', label: '1 year', days: 365 },
] as const

/** The sums of each currency, with the currency of most days first. */
function byCurrency(days: readonly NetWorth[]): [currency: string | null, days: readonly NetWorth[]][] {
  return [...Map.groupBy(days, ({ currency }) => currency)].toSorted(([, a], [, b]) => b.length - a.length)
}

function Worth({ days, currency }: { readonly days: readonly NetWorth[]; readonly currency: string | null }) {
  const today = days.at(-1)
  if (today === undefined) return null
  const points = days.map(({ date, net, estimated, accounts }) => ({ date, value: net, estimated, accounts }))
  return (
    <div className="worth">
      <p className="hero">
        <Money amount={today.net} currency={currency} />
      </p>
      <dl className="pair">
        <div>
          <dt>You own</dt>
          <dd>
            <Money amount={today.assets} currency={currency} />
          </dd>
        </div>
        <div>
          <dt>You owe</dt>
          <dd>
            <Money amount={today.liabilities} currency={currency} />
          </dd>
        </div>
      </dl>
      {points.length > 1 ? <Chart title="Net worth" points={points} currency={currency} /> : null}
      {points.length === 1 ? (
        <p className="muted">
          The history begins on {formatDay(today.date)}: from tomorrow, a line shows how it develops.
        </p>
      ) : null}
    </div>
  )
}

function NetWorthCard() {
  const client = useClient()
  const [params, change] = useSearch()
  const range = ranges.find(({ key }) => key === params.get('range')) ?? ranges[1]
  const query = useQuery(netWorthQuery(client, daysAgo(range.days)))
  return (
    <Card
      title="Net worth"
      actions={<Segments label="Time" options={ranges} chosen={range.key} choose={(key) => change({ range: key })} />}
    >
      <AwaitInsights query={query} label="Loading net worth">
        {({ data, left_out }) => (
          <>
            {data.length === 0 ? (
              <p className="muted">There is no balance in this time yet.</p>
            ) : (
              byCurrency(data).map(([currency, days]) => <Worth key={currency} days={days} currency={currency} />)
            )}
            {left_out.length === 0 ? null : (
              <p className="muted">
                {left_out.length} {left_out.length === 1 ? 'account is' : 'accounts are'} left out, because the bank
                reports no balance.
              </p>
            )}
          </>
        )}
      </AwaitInsights>
    </Card>
  )
}

function Recent({ accounts }: { readonly accounts: readonly Account[] }) {
  const query = useInfiniteQuery(transactionsQuery(useClient(), {}, 6))
  const rows = query.data?.pages[0]?.data ?? []
  return (
    <Card title="Newest transactions" actions={<Link to="/transactions">See all</Link>}>
      {query.isPending ? <Loading label="Loading transactions" /> : null}
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 ? <p className="muted">There are no transactions yet.</p> : null}
      <TransactionRows rows={rows} accounts={accounts} />
    </Card>
  )
}

function Dashboard({ items }: { readonly items: readonly Item[] }) {
  const { data: accounts = [] } = useQuery(accountsQuery(useClient()))
  const waiting = items.filter((item) => itemWords(item).tone !== 'good')
  if (items.length === 0)
    return (
      <Empty title="Connect your first bank" action={<ConnectButton />}>
        You choose what to share. Accounts, transactions and net worth appear here about a minute later.
      </Empty>
    )
  return (
    <>
      {waiting.map((item) => (
        <BankNotice key={item.id} item={item} />
      ))}
      <NetWorthCard />
      <Recent accounts={accounts} />
    </>
  )
}

export default function Overview() {
  const query = useQuery(itemsQuery(useClient()))
  const hasBanks = (query.data ?? []).length > 0
  return (
    <Page title="Overview" actions={hasBanks ? <ConnectButton quiet /> : undefined}>
      <Await query={query} label="Loading your banks">
        {(items) => <Dashboard items={items} />}
      </Await>
    </Page>
  )
}
