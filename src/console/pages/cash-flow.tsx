// Money in and money out over time, as bars with a table beside.
import { useQuery } from '@tanstack/react-query'
import type { CashFlow } from '@wealthnavigator/client'
import { useState } from 'react'
import { cashFlowQuery } from '../api/insights.ts'
import { useClient } from '../api/context.tsx'
import { ConnectButton } from '../connect/button.tsx'
import { formatDay, formatShortDay } from '../format/dates.ts'
import { formatMoney, negated } from '../format/money.ts'
import { formatMonth, formatShortMonth, startBefore } from '../format/periods.ts'
import { useSearch } from '../router/location.ts'
import { AwaitInsights } from '../ui/await-insights.tsx'
import { type CurrencyFlows, flowsByCurrency } from '../spending/flows.ts'
import { Bars } from '../ui/bars.tsx'
import { Flow, Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Segments } from '../ui/segments.tsx'
import { Empty } from '../ui/states.tsx'
import { spendingTabs, Tabs } from '../ui/tabs.tsx'

const intervals = [
  { key: 'month', label: 'By month', long: formatMonth, short: formatShortMonth },
  { key: 'week', label: 'By week', long: (day: string) => `Week of ${formatDay(day)}`, short: formatShortDay },
] as const
type Words = (typeof intervals)[number]

function Row({ row, words, isChosen }: { readonly row: CashFlow; readonly words: Words; readonly isChosen: boolean }) {
  const { start, currency, inflow, outflow, net } = row
  return (
    <tr className={isChosen ? 'is-chosen' : undefined}>
      <th scope="row">{words.long(start)}</th>
      <td className="number wide-only">
        <Money amount={inflow} currency={currency} />
      </td>
      <td className="number wide-only">
        <Money amount={outflow} currency={currency} />
      </td>
      <td className="number strong">
        <Flow amount={negated(net)} currency={currency} />
        <span className="sub narrow-only">
          {formatMoney(inflow, currency)} in, {formatMoney(outflow, currency)} out
        </span>
      </td>
    </tr>
  )
}

function CurrencyCard({ flows: { currency, rows }, words }: { readonly flows: CurrencyFlows; readonly words: Words }) {
  const [wanted, choose] = useState(rows.length - 1)
  const chosen = Math.min(wanted, rows.length - 1)
  const bars = rows.map(({ start, inflow, outflow }) => ({
    key: start,
    short: words.short(start),
    text: `${words.long(start)}: ${formatMoney(inflow, currency)} in, ${formatMoney(outflow, currency)} out`,
    values: [inflow, outflow],
  }))
  const title = `Cash flow${currency === null ? '' : ` in ${currency}`}`
  return (
    <Card
      title={title}
      actions={
        <ul className="legend">
          <li className="in">In</li>
          <li className="out">Out</li>
        </ul>
      }
    >
      <figure className={words.key === 'week' ? 'chart weeks' : 'chart'}>
        <Bars title={title} bars={bars} series={['in', 'out']} chosen={chosen} choose={choose} />
        <figcaption>
          <p className="reading" aria-hidden="true">
            {bars[chosen]?.text}
          </p>
        </figcaption>
      </figure>
      <table className="rows compact">
        <caption className="visually-hidden">{title} as a table</caption>
        <thead>
          <tr>
            <th scope="col">{words.key === 'month' ? 'Month' : 'Week'}</th>
            <th scope="col" className="number wide-only">
              In
            </th>
            <th scope="col" className="number wide-only">
              Out
            </th>
            <th scope="col" className="number">
              Kept
            </th>
          </tr>
        </thead>
        <tbody>
          {rows
            .map((row, index) => <Row key={row.start} row={row} words={words} isChosen={index === chosen} />)
            .toReversed()}
        </tbody>
      </table>
    </Card>
  )
}

export default function CashFlowPage() {
  const [params, change] = useSearch()
  const words = intervals.find(({ key }) => key === params.get('by')) ?? intervals[0]
  const query = useQuery(cashFlowQuery(useClient(), words.key, startBefore(words.key, 11)))
  return (
    <Page
      title="Cash flow"
      lead="What came in and what went out. Transfers between your own accounts do not count."
      actions={
        <Segments label="Interval" options={intervals} chosen={words.key} choose={(key) => change({ by: key })} />
      }
    >
      <Tabs label="Spending" tabs={spendingTabs} />
      <AwaitInsights query={query} label="Loading your cash flow">
        {(flow) =>
          flow.data.length === 0 ? (
            <Empty title="No money has moved yet" action={<ConnectButton />}>
              Connect a bank: its transactions are added up here.
            </Empty>
          ) : (
            flowsByCurrency(flow, words.key).map((flows) => (
              <CurrencyCard key={`${words.key} ${flows.currency ?? ''}`} flows={flows} words={words} />
            ))
          )
        }
      </AwaitInsights>
    </Page>
  )
}
