// Shows sums, or that the person has switched them off.
import type { UseQueryResult } from '@tanstack/react-query'
import { ProblemError } from '@wealthnavigator/client'
import type { ReactNode } from 'react'
import { Link } from '../router/link.tsx'
import { Await, Empty } from './states.tsx'

interface AwaitInsightsProps<Data> {
  readonly query: UseQueryResult<Data>
  readonly label: string
  readonly children: (data: Data) => ReactNode
}

const isSwitchedOff = (error: unknown): boolean => error instanceof ProblemError && error.code === 'purpose_not_allowed'

export function AwaitInsights<Data>({ query, label, children }: AwaitInsightsProps<Data>) {
  if (isSwitchedOff(query.error))
    return (
      <Empty
        title="Sums are switched off"
        action={
          <Link to="/settings" className="button">
            Change your privacy choices
          </Link>
        }
      >
        You do not allow this server to add up your transactions.
      </Empty>
    )
  return (
    <Await query={query} label={label}>
      {children}
    </Await>
  )
}
