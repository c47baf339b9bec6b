// One flow for the whole console: it goes to Link's page and comes back to `/connect/return`, whatever page is shown meanwhile.
import { useQueryClient } from '@tanstack/react-query'
import { type ConnectBank, useConnectBank } from '@wealthnavigator/react'
import { createContext, type ReactNode, useContext, useEffect } from 'react'
import { useClient } from '../api/context.tsx'
import { noteFrozen } from '../api/read-only.ts'
import { returnPath } from './return-path.ts'

const ConnectContext = createContext<ConnectBank | null>(null)

/** Link speaks the reader's language, where it has it. */
const language = (): string => navigator.language.slice(0, 2).toLowerCase()

export function ConnectProvider({ children }: { readonly children: ReactNode }) {
  const client = useClient()
  const queries = useQueryClient()
  const bank = useConnectBank({
    client,
    mode: 'hosted',
    completionRedirectUri: `${window.location.origin}${returnPath}`,
    language: language(),
  })
  const { name } = bank.state
  // The item and its first data are new to every page.
  useEffect(() => {
    if (name === 'healthy' || name === 'attention') void queries.invalidateQueries()
  }, [name, queries])
  useEffect(() => noteFrozen(queries, bank.error), [bank.error, queries])
  return <ConnectContext value={bank}>{children}</ConnectContext>
}

export function useConnect(): ConnectBank {
  const bank = useContext(ConnectContext)
  if (bank === null) throw new Error('useConnect needs a ConnectProvider.')
  return bank
}
