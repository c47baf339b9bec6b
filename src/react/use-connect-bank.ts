// The hook: the machine's state, and the user's actions.
import type { Client, Item } from '@wealthnavigator/client'
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { type ConnectionOptions, createConnection } from './connection.ts'
import type { Mode, Purpose, State } from './machine.ts'
import { isBusy } from './machine.ts'
import { type CreatePlaid, loadPlaid } from './plaid.ts'
import type { Storage } from './storage.ts'

export interface ConnectBankOptions {
  readonly client: Client
  /** `link` (the default) opens Plaid Link in the page, `hosted` a page of Plaid. */
  readonly mode?: Mode | undefined
  /** The page, registered at Plaid, to which a bank returns the user. It must use this hook. */
  readonly redirectUri?: string | undefined
  /** Where Hosted Link returns the user. The deployment must list it. */
  readonly completionRedirectUri?: string | undefined
  /** The language of Link (ISO 639-1). */
  readonly language?: string | undefined
  /** `Plaid.create`; by default of Plaid's script, which is then loaded. */
  readonly createLink?: CreatePlaid | undefined
  /** Opens the page of Hosted Link; by default in this window. */
  readonly openHosted?: ((url: string) => void) | undefined
  /** Where the flow is kept over a reload; `sessionStorage` by default, null for nowhere. */
  readonly storage?: Storage | null | undefined
  /** Between two reads of a new item, in milliseconds; 2000 by default. */
  readonly pollMs?: number | undefined
  /** How long a new item is looked for after a return without one, in milliseconds; 60000 by default. */
  readonly giveUpMs?: number | undefined
}

export interface ConnectBank {
  readonly state: State
  /** Whether something runs: the user cannot start again now. */
  readonly busy: boolean
  /** The item, once it is linked. */
  readonly item: Item | null
  /** What failed, or null. */
  readonly error: Error | null
  readonly connect: () => void
  /** Opens update mode for a login that fails or lacks consent. */
  readonly repair: (itemId: string) => void
  /** Lets the user share further accounts of a linked bank. */
  readonly addAccounts: (itemId: string) => void
  /** Reports that the user came back from Hosted Link in another window. */
  readonly returned: () => void
  readonly cancel: () => void
  /** Starts again what failed or was cancelled. */
  readonly retry: () => void
  readonly reset: () => void
}

/** Absent on a server, and forbidden in some frames. */
function defaultStorage(): Storage | null {
  try {
    return typeof sessionStorage === 'undefined' ? null : sessionStorage
  } catch {
    return null
  }
}

function connectionOptions(options: ConnectBankOptions): ConnectionOptions {
  const { createLink, openHosted, storage, ...rest } = options
  return {
    ...rest,
    storage: storage === undefined ? defaultStorage() : storage,
    loadLink: createLink === undefined ? loadPlaid : () => Promise.resolve(createLink),
    openHosted: openHosted ?? ((url) => window.location.assign(url)),
    address: () => (typeof window === 'undefined' ? '' : window.location.href),
  }
}

/** Connects a bank, repairs a login, or adds accounts: one flow at a time. */
export function useConnectBank(options: ConnectBankOptions): ConnectBank {
  const [connection] = useState(() => createConnection(connectionOptions(options)))
  useEffect(() => connection.configure(connectionOptions(options)))
  useEffect(() => {
    connection.attach()
    return () => connection.detach()
  }, [connection])
  const state = useSyncExternalStore(connection.subscribe, connection.getState, connection.getState)
  const mode = options.mode ?? 'link'
  const actions = useMemo(() => {
    const start = (purpose: Purpose) => connection.send({ type: 'start', purpose, mode })
    return {
      connect: () => start({ kind: 'link' }),
      repair: (itemId: string) => start({ kind: 'repair', itemId }),
      addAccounts: (itemId: string) => start({ kind: 'accounts', itemId }),
      returned: () => connection.send({ type: 'returned', run: connection.getState().run }),
      cancel: () => connection.send({ type: 'cancel' }),
      retry() {
        const current = connection.getState()
        if (current.name === 'failed' || current.name === 'cancelled') start(current.purpose)
      },
      reset: () => connection.send({ type: 'reset' }),
    }
  }, [connection, mode])
  return {
    state,
    busy: isBusy(state),
    item: state.name === 'healthy' || state.name === 'attention' ? state.item : null,
    error: state.name === 'failed' ? state.error : null,
    ...actions,
  }
}
