// Whether an operator has frozen the deployment: nothing can be changed then, and everything can be read.
import { type QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { type Client, ProblemError } from '@wealthnavigator/client'
import { useClient } from './context.tsx'

const key = ['status']

const statusQuery = (client: Client) =>
  queryOptions({
    queryKey: key,
    queryFn: ({ signal }) => client.get('/api/v1/status', { signal }),
    refetchInterval: 60_000,
    staleTime: 10_000,
  })

export const useReadOnly = (): boolean => useQuery(statusQuery(useClient())).data?.read_only ?? false

const isFrozen = (error: unknown): boolean => error instanceof ProblemError && error.code === 'frozen'

/** A change that was refused says it before the next read of the state does. */
export function noteFrozen(queries: QueryClient, error: unknown): void {
  if (isFrozen(error)) queries.setQueryData(key, { read_only: true })
}

/** After an operator has frozen the deployment, or ended the freeze. */
export const readStatusAgain = (queries: QueryClient): Promise<void> => queries.invalidateQueries({ queryKey: key })
