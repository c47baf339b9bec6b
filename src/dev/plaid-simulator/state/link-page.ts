// What the browser shows of one Link session. Only the results of a session are kept in a journal, so a restart begins
// an open page again.
import type { Institution } from '../bank/institutions.ts'
import type { ErrorBody } from '../lib/failure.ts'
import type { LinkSession } from './link-token.ts'

/** `departure`: the embedding page takes the browser to the bank. `linked`: a multi-item session can add another bank. */
export type Step = 'consent' | 'bank' | 'login' | 'mfa' | 'accounts' | 'oauth' | 'departure' | 'error' | 'linked'

export type MfaType = 'device' | 'code' | 'questions' | 'selections'

export interface Question {
  readonly text: string
  /** Null if the user types a reply. */
  readonly options: readonly string[] | null
  /** Null if every option is right. */
  readonly answer: string | null
}

export interface MfaRound {
  readonly type: MfaType
  readonly questions: readonly Question[]
}

/** The user's visit to the bank's own page. */
export interface BankVisit {
  /** Plaid's `oauth_state_id`. */
  readonly state: string
  /** Null until the user logs in at the bank. */
  username: string | null
  /** The accounts that the user allows, by the bank's ids; `denied` if none. */
  decision: readonly string[] | 'denied' | null
}

export interface LinkPage {
  readonly linkToken: string
  readonly session: LinkSession
  /** The origin of the page that embeds this one, or null for Hosted Link. */
  parentOrigin: string | null
  step: Step
  institution: Institution | null
  /** What the user typed, once the bank has accepted it. */
  credentials: { readonly username: string; readonly password: string | null } | null
  rounds: readonly MfaRound[]
  /** The rounds that the user has passed. */
  passedRounds: number
  visit: BankVisit | null
  /** The last error, until the next form. */
  error: ErrorBody | null
  /** A remark on the last form that is no error of Plaid's. */
  notice: string | null
  /** The last search, and whether it found a bank. */
  search: { readonly text: string; readonly found: boolean } | null
  /** The number of events that the embedding page has been sent. */
  sentEvents: number
  /** The number of requests of the user's browser. */
  requests: number
}

export function newLinkPage(linkToken: string, session: LinkSession, parentOrigin: string | null): LinkPage {
  return {
    linkToken,
    session,
    parentOrigin,
    step: 'consent',
    institution: null,
    credentials: null,
    rounds: [],
    passedRounds: 0,
    visit: null,
    error: null,
    notice: null,
    search: null,
    sentEvents: 0,
    requests: 0,
  }
}
