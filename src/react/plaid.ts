// Plaid Link in a page: the part of its interface that is used, and its script.
import type { LinkMetadata } from './machine.ts'

export interface PlaidHandler {
  open(): void
  exit?(options?: { force?: boolean }): void
  destroy(): void
}

export interface PlaidOptions {
  readonly token: string
  /** The address at which the user came back from a bank. */
  readonly receivedRedirectUri?: string
  readonly onSuccess: (publicToken: string, metadata: LinkMetadata) => void
  readonly onExit: (error: PlaidError | null) => void
}

export interface PlaidError {
  readonly error_code?: string | null
  readonly error_message?: string | null
  readonly display_message?: string | null
}

/** `Plaid.create` of Plaid's script. */
export type CreatePlaid = (options: PlaidOptions) => PlaidHandler

/** Plaid serves its script from here alone, and refuses copies. */
const scriptUrl = 'https://cdn.plaid.com/link/v2/stable/link-initialize.js'

const plaidOf = (): CreatePlaid | null => {
  const plaid: unknown = Reflect.get(globalThis, 'Plaid')
  if (typeof plaid !== 'object' || plaid === null || !('create' in plaid) || typeof plaid.create !== 'function')
    return null
  // oxlint-disable-next-line typescript/consistent-type-assertions -- the documented interface of Plaid's script
  return plaid.create.bind(plaid) as CreatePlaid
}

let loading: Promise<CreatePlaid> | null = null

/** Loads Plaid's script once. A failed load can be tried again. */
export function loadPlaid(): Promise<CreatePlaid> {
  const present = plaidOf()
  if (present !== null) return Promise.resolve(present)
  loading ??= new Promise<CreatePlaid>((resolve, reject) => {
    const script = document.createElement('script')
    script.src = scriptUrl
    script.async = true
    const fail = (): void => {
      script.remove()
      reject(new Error('Plaid Link did not load.'))
    }
    script.addEventListener('error', fail)
    script.addEventListener('load', () => {
      const loaded = plaidOf()
      if (loaded === null) fail()
      else resolve(loaded)
    })
    document.head.appendChild(script)
  }).catch((error: unknown) => {
    loading = null
    throw error
  })
  return loading
}
