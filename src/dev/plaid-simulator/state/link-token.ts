// What an application asked Link for, and what its user's sessions have done with it.
import type { Product } from '../bank/institutions.ts'

export interface LinkSession {
  readonly id: string
  readonly startedAt: string
  /** Null while the user is still in Link. */
  finished: { at: string; ms: number } | null
  /** The items that the user added, in their order; an update adds none. */
  readonly added: { publicToken: string; itemId: string }[]
  /** Whether the session repaired its item. */
  updated: boolean
}

/** Plaid's word for how the session ended: whoever has done something has succeeded, even by leaving afterwards. */
export function statusOf({ added, updated }: LinkSession): 'SUCCESS' | 'EXITED' {
  return added.length > 0 || updated ? 'SUCCESS' : 'EXITED'
}

export interface LinkToken {
  token: string
  createdAt: string
  expiresAtMs: number
  clientName: string
  language: string
  countryCodes: readonly string[]
  products: readonly Product[]
  /** Added to the item where the institution has them. */
  productsIfSupported: readonly Product[]
  webhook: string | null
  redirectUri: string | null
  userId: string
  /** Whether the request named the `user_id` itself. */
  namesUserId: boolean
  daysRequested: number | null
  /** The item that the token repairs, or null for a new one. */
  updateItemId: string | null
  /** Products that the user consents to by going through this session. */
  consents: readonly Product[]
  accountSelection: boolean
  /** Whether what happens in a session is told by webhook, as hosted and multi-item Link do. */
  announces: boolean
  /** Whether one session may add several items. */
  multiItem: boolean
  sessions: LinkSession[]
}

export interface PublicToken {
  itemId: string
  expiresAtMs: number
  /** A public token is exchanged once. */
  used: boolean
}
