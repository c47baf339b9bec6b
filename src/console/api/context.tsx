// The API's client for the person who is signed in.
import { type Client, createClient } from '@wealthnavigator/client'
import { createContext, type ReactNode, useContext, useState } from 'react'
import { useSession } from './session.tsx'

const ClientContext = createContext<Client | null>(null)

export function ApiProvider({ children }: { readonly children: ReactNode }) {
  const { getToken } = useSession()
  const [client] = useState(() =>
    createClient({ baseUrl: window.location.origin, cookies: true, getToken, longestWaitSeconds: 10 }),
  )
  return <ClientContext value={client}>{children}</ClientContext>
}

export function useClient(): Client {
  const client = useContext(ClientContext)
  if (client === null) throw new Error('useClient needs an ApiProvider.')
  return client
}
