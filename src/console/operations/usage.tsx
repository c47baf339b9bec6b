// The calls of Plaid by day, endpoint and outcome.
import { useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { usageQuery } from '../api/operations.ts'
import { formatDay } from '../format/dates.ts'
import { useSearch } from '../router/location.ts'
import { Segments } from '../ui/segments.tsx'
import { Await, Empty } from '../ui/states.tsx'
import { CountTable } from './table.tsx'

const columns = [
  { title: 'Endpoint' },
  { title: 'Day' },
  { title: 'Outcome' },
  { title: 'Calls', isNumber: true },
  { title: 'Cost', isNumber: true },
]

const windows = [
  { key: '7', label: '7 days', days: 7 },
  { key: '30', label: '30 days', days: 30 },
  { key: '90', label: '90 days', days: 90 },
] as const

export function Usage() {
  const [params, change] = useSearch()
  const window = windows.find(({ key }) => key === params.get('days')) ?? windows[1]
  return (
    <>
      <Segments label="Time" options={windows} chosen={window.key} choose={(days) => change({ days })} />
      <Calls days={window.days} />
    </>
  )
}

function Calls({ days }: { readonly days: number }) {
  const query = useQuery(usageQuery(useClient(), days))
  return (
    <Await query={query} label="Loading the usage">
      {({ data, calls, cost, from, to }) =>
        data.length === 0 ? (
          <Empty title={`Plaid was not called in the last ${days} days`} />
        ) : (
          <CountTable
            isLong
            caption={`${calls} calls of Plaid from ${formatDay(from)} to ${formatDay(to)}, estimated at ${cost} by PLAID_PRICES`}
            columns={columns}
            rows={data.map(({ day, endpoint, outcome, calls: count, cost: price }) => ({
              key: `${day} ${endpoint} ${outcome}`,
              cells: [<code key="endpoint">{endpoint}</code>, formatDay(day), outcome, count, price ?? 'no price'],
            }))}
          />
        )
      }
    </Await>
  )
}
