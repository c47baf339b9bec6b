// The calls of Plaid by day, endpoint and outcome.
import { useQuery } from '@tanstack/react-query'
import { useClient } from '../api/context.tsx'
import { usageQuery } from '../api/operations.ts'
import { formatDay } from '../format/dates.ts'
import { Await, Empty } from '../ui/states.tsx'
import { CountTable } from './table.tsx'

const columns = [
  { title: 'Endpoint' },
  { title: 'Day' },
  { title: 'Outcome' },
  { title: 'Calls', isNumber: true },
  { title: 'Cost', isNumber: true },
]

export function Usage() {
  const query = useQuery(usageQuery(useClient()))
  return (
    <Await query={query} label="Loading the usage">
      {({ data, calls, cost, from, to }) =>
        data.length === 0 ? (
          <Empty title="Plaid was not called in the last 30 days" />
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
