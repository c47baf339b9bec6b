// A link token: what the application requested, and what its user's sessions did.
import type { Product } from '../bank/institutions.ts'
import type { ErrorBody } from '../lib/failure.ts'

export interface LinkSession {
  readonly id: string
  readonly startedAt: string
  /** Null while the user is still in Link. */
  finished: { at: string; ms: number } | null
  /** The items that the user added, in order; update mode adds none. */
  readonly added: { publicToken: string; itemId: string }[]
  /** Whether update mode repaired the item. */
  updated: boolean
  /** Where the user was when they left Link; null if they did not leave, or if a control played them. */
  exit: ExitPoint | null
  /** What the user did on Link's pages. A journal does not keep it. */
  readonly events: LinkEvent[]
}

/** Plaid's names of the points at which a user can leave Link (https://plaid.com/docs/link/web/#onexit). */
export const exitStatuses = [
  'requires_credentials',
  'requires_questions',
  'requires_selections',
  'requires_code',
  'choose_device',
  'requires_account_selection',
  'requires_oauth',
  'institution_not_found',
] as const
export type ExitStatus = (typeof exitStatuses)[number]

export interface ExitPoint {
  readonly institution: { readonly name: string; readonly institution_id: string } | null
  readonly status: ExitStatus
  readonly error: ErrorBody | null
}

/** An event as webhooks and /link/token/get show it: without the members that do not apply. */
export interface LinkEvent {
  readonly event_id: string
  readonly event_name: string
  readonly timestamp: string
  readonly event_metadata: Readonly<Record<string, string>>
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
  /** The options of Hosted Link, or null for a token that an SDK opens. */
  hosted: { readonly completionUri: string | null } | null
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
