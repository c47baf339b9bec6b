// What the API's codes mean, in words.
import { ConnectionError, type Item, type ProblemCode, ProblemError } from '@wealthnavigator/client'
import { formatDay } from './dates.ts'

export type Tone = 'good' | 'busy' | 'warn' | 'bad'

export interface ItemWords {
  readonly tone: Tone
  readonly state: string
  /** What it means for the person, in one sentence; null where there is nothing more to say. */
  readonly detail: string | null
  /** The one thing to do. */
  readonly action: { readonly kind: 'repair' | 'accounts' | 'link'; readonly label: string } | null
}

const by = (moment: string | null): string => (moment === null ? 'soon' : `on ${formatDay(moment.slice(0, 10))}`)

const signIn = { kind: 'repair', label: 'Sign in again' } as const
const linkAgain = { kind: 'link', label: 'Connect again' } as const

/** What a product needs in addition to a healthy login. */
function healthyWords(item: Item): ItemWords {
  if (item.action_required === 'give_consent')
    return {
      tone: 'warn',
      state: 'More consent needed',
      detail: 'The bank shares some of the data only after you allow it.',
      action: { kind: 'repair', label: 'Review consent' },
    }
  if (item.action_required === 'add_accounts')
    return {
      tone: 'warn',
      state: 'New accounts found',
      detail: 'You have accounts at this bank that are not shared yet.',
      action: { kind: 'accounts', label: 'Choose accounts' },
    }
  return { tone: 'good', state: 'Up to date', detail: null, action: null }
}

export function itemWords(item: Item): ItemWords {
  switch (item.status) {
    case 'initializing':
      return { tone: 'busy', state: 'Getting the first data', detail: 'This takes a minute or two.', action: null }
    case 'healthy':
      return healthyWords(item)
    case 'needs_update':
      return {
        tone: 'bad',
        state: 'Sign-in needed',
        detail: 'The bank no longer accepts the saved sign-in. Until you sign in again, nothing new arrives.',
        action: signIn,
      }
    case 'pending_disconnect':
      return {
        tone: 'warn',
        state: 'Disconnects soon',
        detail: `The connection ends ${by(item.disconnect_at)} unless you sign in again.`,
        action: signIn,
      }
    case 'pending_expiration':
      return {
        tone: 'warn',
        state: 'Consent expires soon',
        detail: `Your consent ends ${by(item.consent_expires_at)} unless you renew it.`,
        action: { kind: 'repair', label: 'Renew consent' },
      }
    case 'bank_action_required':
      return {
        tone: 'bad',
        state: 'Waiting for your bank',
        detail: 'The bank asks for something that only its own site or app can do, such as unlocking the account.',
        action: null,
      }
    case 'institution_down':
      return {
        tone: 'warn',
        state: 'Bank not available',
        detail: 'The bank does not respond right now. It is tried again automatically.',
        action: null,
      }
    case 'revoked':
    case 'relink_required':
    case 'removed':
      return {
        tone: 'bad',
        state: item.status === 'revoked' ? 'Access withdrawn' : 'Connection ended',
        detail: `Connect the bank again to continue its history${item.removal_at === null ? '' : `; otherwise its data are deleted ${by(item.removal_at)}`}.`,
        action: linkAgain,
      }
  }
}

/** What a person can do about an error of the API, in one line. */
const nextSteps: Readonly<Partial<Record<ProblemCode, string>>> = {
  too_many_links: 'Try again tomorrow.',
  too_many_items: 'Remove a bank that you no longer need.',
  duplicate_item: 'This bank is already connected: see your banks.',
  purpose_not_allowed: 'Your privacy choices do not allow this.',
  unauthorized: 'Sign in again.',
  unavailable: 'Try again in a minute.',
  plaid_unavailable: 'Try again in a minute.',
  frozen: 'Try again later.',
  not_found: 'Go back to the list.',
}

export interface ErrorWords {
  readonly why: string
  readonly next: string
  readonly requestId: string | null
}

/** `in 12 minutes`. */
function inTime(seconds: number | null): string {
  const minutes = Math.ceil((seconds ?? 60) / 60)
  if (minutes <= 1) return 'in a minute'
  return minutes < 120 ? `in ${minutes} minutes` : `in ${Math.ceil(minutes / 60)} hours`
}

function nextOf({ code, status, retryAfterSeconds }: ProblemError): string {
  const known = nextSteps[code]
  if (known !== undefined) return known
  if (status === 429) return `Try again ${inTime(retryAfterSeconds)}.`
  return status >= 500 ? 'Try again in a minute.' : 'Check the entries.'
}

const fieldWords = ({ errors }: ProblemError): string => errors.map(({ detail }) => detail).join(' ')

export function errorWords(error: unknown): ErrorWords {
  if (error instanceof ProblemError) {
    const next = error.errors.length > 0 ? fieldWords(error) : nextOf(error)
    // What comes next says it more exactly.
    const why = error.message.replace(/(?<=\S) Try again later\.$/, '')
    return { why, next, requestId: error.requestId }
  }
  if (error instanceof ConnectionError || error instanceof TypeError)
    return { why: 'The server did not respond.', next: 'Check your connection, then try again.', requestId: null }
  return { why: error instanceof Error ? error.message : 'Something went wrong.', next: 'Try again.', requestId: null }
}

/** `sync_run` as `sync run`. */
export const spaced = (code: string): string => code.replaceAll('_', ' ')
/** `sync run` as `Sync run`. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
/** `sync_run` as `Sync run`. */
export const wordsOf = (code: string): string => capitalized(spaced(code))

/** `FOOD_AND_DRINK` as `Food and drink`. */
export function categoryWords(category: string | null): string {
  if (category === null) return 'Uncategorized'
  if (!/^[A-Z0-9_]+$/.test(category)) return category
  return wordsOf(category.toLowerCase())
}

const subtypes: Readonly<Record<string, string>> = { ira: 'IRA', cd: 'CD', hsa: 'HSA', '401k': '401(k)', '529': '529' }

export function subtypeWords(type: string, subtype: string | null): string {
  const text = subtype ?? type
  return subtypes[text] ?? capitalized(text)
}
