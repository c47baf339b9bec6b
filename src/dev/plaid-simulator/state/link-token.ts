// A link token: what the application requested, and what its user's sessions did.
import type { Product } from '../bank/institutions.ts'

export interface LinkSession {
  readonly id: string
  readonly startedAt: string
  /** Null while the user is still in Link. */
  finished: { at: string; ms: number } | null
  /** The items that the user added, in order; update mode adds none. */
  readonly added: { publicToken: string; itemId: string }[]
  /** Whether update mode repaired the item. */
  updated: boolean
}

/**
 * Plaid's status of an ended session. A session that linked or repaired something succeeded, even if the user then
 * left.
 */
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
  /** Added to the item if the institution supports them. */
  productsIfSupported: readonly Product[]
  webhook: string | null
  redirectUri: string | null
  userId: string
  /** Whether the request named the `user_id` itself. */
  namesUserId: boolean
  daysRequested: number | null
  /** The item for update mode, or null for a new one. */
  updateItemId: string | null
  /** Products that the user consents to in this session. */
  consents: readonly Product[]
  accountSelection: boolean
  /** Whether webhooks report the session's events, as in hosted and multi-item Link. */
  reportsByWebhook: boolean
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
