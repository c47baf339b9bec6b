// What comes again: bills and subscriptions, and income, as Plaid found them.
import { useQuery } from '@tanstack/react-query'
import type { Account, RecurringStream } from '@wealthnavigator/client'
import { Fragment } from 'react'
import { useClient } from '../api/context.tsx'
import { recurringQuery } from '../api/insights.ts'
import { accountsQuery } from '../api/queries.ts'
import { ConnectButton } from '../connect/button.tsx'
import { formatDay } from '../format/dates.ts'
import { accountIdIn } from '../format/ids.ts'
import { categoryWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { AccountFilter } from '../ui/account-filter.tsx'
import { IdsRow } from '../ui/ids.tsx'
import { Flow } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Await, Empty } from '../ui/states.tsx'
import { spendingTabs, Tabs } from '../ui/tabs.tsx'

const frequencies: Readonly<Record<string, string>> = {
  WEEKLY: 'Every week',
  BIWEEKLY: 'Every two weeks',
  SEMI_MONTHLY: 'Twice a month',
  MONTHLY: 'Every month',
  ANNUALLY: 'Every year',
  UNKNOWN: 'At irregular times',
}

const nameOf = ({ merchant_name: merchant, description }: RecurringStream): string =>
  merchant === null || merchant === '' ? description : merchant

interface StreamsProps {
  readonly streams: readonly RecurringStream[]
  readonly accounts: readonly Account[]
}

function Expected({ stream }: { readonly stream: RecurringStream }) {
  const { predicted_next_date: next, last_date: last, active } = stream
  return active && next !== null ? formatDay(next) : `last on ${formatDay(last)}`
}

function Table({ title, streams, accounts }: StreamsProps & { readonly title: string }) {
  const accountOf = ({ account_id: id }: RecurringStream) => accounts.find((account) => account.id === id)
  return (
    <table className="rows">
      <caption className="visually-hidden">{title}</caption>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col" className="wide-only">
            Next
          </th>
          <th scope="col" className="number">
            Usually
          </th>
        </tr>
      </thead>
      <tbody>
        {streams.map((stream) => (
          <Fragment key={stream.id}>
            <tr>
              <th scope="row">
                <Link
                  to={`/transactions?${new URLSearchParams({ q: nameOf(stream), account_id: stream.account_id }).toString()}`}
                >
                  {nameOf(stream)}
                </Link>{' '}
                {stream.status === 'EARLY_DETECTION' ? <span className="tag">New</span> : null}
                <span className="sub">
                  {frequencies[stream.frequency] ?? categoryWords(stream.frequency)}
                  {stream.category.primary === null ? null : ` · ${categoryWords(stream.category.primary)}`}
                  {accountOf(stream) === undefined ? null : ` · ${accountOf(stream)?.name ?? ''}`}
                  <span className="narrow-only">
                    {' · '}
                    <Expected stream={stream} />
                  </span>
                </span>
              </th>
              <td className="wide-only">
                <Expected stream={stream} />
              </td>
              <td className="number strong">
                {stream.average_amount === null ? (
                  <span className="muted">not reported</span>
                ) : (
                  <Flow amount={stream.average_amount} currency={stream.currency} />
                )}
              </td>
            </tr>
            <IdsRow
              of={nameOf(stream)}
              ids={[
                { label: 'Recurring stream', value: stream.id },
                { label: 'Plaid stream', value: stream.plaid_stream_id },
                { label: 'Account', value: stream.account_id },
              ]}
            />
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

/** What is due first is first; what has ended is last. */
const nextFirst = (a: RecurringStream, b: RecurringStream): number =>
  (a.predicted_next_date ?? '9999').localeCompare(b.predicted_next_date ?? '9999')

function Streams({ streams, accounts }: StreamsProps) {
  const active = streams.filter((stream) => stream.active).toSorted(nextFirst)
  const ended = streams.filter((stream) => !stream.active)
  const groups = [
    { title: 'Bills and subscriptions', found: active.filter(({ direction }) => direction === 'outflow') },
    { title: 'Income', found: active.filter(({ direction }) => direction === 'inflow') },
  ]
  return (
    <>
      {groups.map(({ title, found }) =>
        found.length === 0 ? null : (
          <Card key={title} title={title}>
            <Table title={title} streams={found} accounts={accounts} />
          </Card>
        ),
      )}
      {ended.length === 0 ? null : (
        <Card title="Ended">
          <details>
            <summary>
              {ended.length} that {ended.length === 1 ? 'does' : 'do'} not seem to continue
            </summary>
            <Table title="Ended" streams={ended} accounts={accounts} />
          </details>
        </Card>
      )}
    </>
  )
}

export default function Recurring() {
  const client = useClient()
  const chosen = accountIdIn(useSearch()[0])
  const query = useQuery(recurringQuery(client, chosen))
  const { data: accounts = [] } = useQuery(accountsQuery(client))
  return (
    <Page title="Recurring" lead="What seems to come again, and when. Found by Plaid in your transactions.">
      <Tabs label="Spending" tabs={spendingTabs} />
      <AccountFilter accounts={accounts} types={['depository', 'credit']} />
      <Await query={query} label="Loading what recurs">
        {(streams) => {
          if (streams.length > 0) return <Streams streams={streams} accounts={accounts} />
          return chosen !== undefined ? (
            <Empty title="Nothing recurs in this account">Choose another account.</Empty>
          ) : (
            <Empty title="Nothing recurs yet" action={accounts.length === 0 ? <ConnectButton /> : undefined}>
              Bills, subscriptions and income appear here once they have come at least three times.
            </Empty>
          )
        }}
      </Await>
    </Page>
  )
}
