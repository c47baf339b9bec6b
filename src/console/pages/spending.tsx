// What was spent: a bar for each month, and the categories of the chosen month.
import { useQuery } from '@tanstack/react-query'
import type { CashFlowIntervals } from '@wealthnavigator/client'
import { useClient } from '../api/context.tsx'
import { cashFlowQuery, spendingQuery } from '../api/insights.ts'
import { ConnectButton } from '../connect/button.tsx'
import { formatMoney } from '../format/money.ts'
import { endOfMonth, formatMonth, formatShortMonth, startBefore } from '../format/periods.ts'
import { useSearch } from '../router/location.ts'
import { AwaitInsights } from '../ui/await-insights.tsx'
import { Categories } from '../spending/categories.tsx'
import { type CurrencyFlows, flowsByCurrency, startsOf } from '../spending/flows.ts'
import { Bars } from '../ui/bars.tsx'
import { Card, Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'
import { spendingTabs, Tabs } from '../ui/tabs.tsx'

interface MonthsProps {
  readonly flows: CurrencyFlows
  readonly chosen: number
  readonly choose: (index: number) => void
}

function Months({ flows: { currency, rows }, chosen, choose }: MonthsProps) {
  const bars = rows.map(({ start, outflow }) => ({
    key: start,
    short: formatShortMonth(start),
    text: `${formatMonth(start)}: ${formatMoney(outflow, currency)}`,
    values: [outflow],
  }))
  const title = `Spending by month${currency === null ? '' : `, ${currency}`}`
  return (
    <figure className="chart">
      <Bars title={title} bars={bars} series={['out']} chosen={chosen} choose={choose} />
      <figcaption>
        <p className="reading" aria-hidden="true">
          {bars[chosen]?.text}
        </p>
      </figcaption>
    </figure>
  )
}

function OfMonth({ from, to }: { readonly from: string; readonly to: string }) {
  const query = useQuery(spendingQuery(useClient(), from, to))
  return (
    <Card title={formatMonth(from)}>
      <AwaitInsights query={query} label="Loading the categories">
        {({ data }) => (
          <div className="stack" aria-busy={query.isPlaceholderData}>
            <Categories rows={data} from={from} to={to} />
          </div>
        )}
      </AwaitInsights>
    </Card>
  )
}

function Year({ flow }: { readonly flow: CashFlowIntervals }) {
  const [params, change] = useSearch()
  const starts = startsOf(flow, 'month')
  const wanted = starts.findIndex((start) => start.startsWith(`${params.get('month') ?? ''}-`))
  const chosen = wanted < 0 ? starts.length - 1 : wanted
  const from = starts[chosen] ?? flow.from
  const end = endOfMonth(from)
  const choose = (index: number): void => change({ month: starts[index]?.slice(0, 7) ?? null })
  return (
    <>
      <Card title="By month">
        {flowsByCurrency(flow, 'month').map((flows) => (
          <Months key={flows.currency} flows={flows} chosen={chosen} choose={choose} />
        ))}
      </Card>
      <OfMonth from={from} to={end < flow.to ? end : flow.to} />
    </>
  )
}

export default function SpendingPage() {
  const query = useQuery(cashFlowQuery(useClient(), 'month', startBefore('month', 11)))
  return (
    <Page title="Spending">
      <Tabs label="Spending" tabs={spendingTabs} />
      <AwaitInsights query={query} label="Loading your spending">
        {(flow) =>
          flow.data.length === 0 ? (
            <Empty title="Nothing was spent yet" action={<ConnectButton />}>
              Connect a bank: its transactions of the last months are added up here.
            </Empty>
          ) : (
            <Year flow={flow} />
          )
        }
      </AwaitInsights>
    </Page>
  )
}
