// Plaid's Link events (https://plaid.com/docs/link/web/#onevent): recorded in the session, and in the SDK's shape for
// the page that embeds Link.
import { randomUUID } from 'node:crypto'
import type { ErrorBody } from '../lib/failure.ts'
import type { LinkPage, Step } from '../state/link-page.ts'
import type { ExitStatus, LinkEvent } from '../state/link-token.ts'
import type { World } from '../state/world.ts'

export type EventName =
  | 'OPEN'
  | 'TRANSITION_VIEW'
  | 'SEARCH_INSTITUTION'
  | 'SELECT_INSTITUTION'
  | 'SUBMIT_CREDENTIALS'
  | 'SUBMIT_MFA'
  | 'OPEN_OAUTH'
  | 'CLOSE_OAUTH'
  | 'FAIL_OAUTH'
  | 'ERROR'
  | 'EXIT'
  | 'HANDOFF'

/** Plaid's `view_name` of each step. */
const views: Readonly<Record<Step, string>> = {
  consent: 'CONSENT',
  bank: 'SELECT_INSTITUTION',
  login: 'CREDENTIAL',
  mfa: 'MFA',
  accounts: 'SELECT_ACCOUNT',
  oauth: 'OAUTH',
  departure: 'OAUTH',
  error: 'ERROR',
  linked: 'CONNECTED',
}

/** Records an event with the page's institution. The request id is that of the user's last request. */
export function recordEvent(
  world: World,
  page: LinkPage,
  name: EventName,
  more: Readonly<Record<string, string>> = {},
): void {
  const { institution, session } = page
  session.events.push({
    event_id: randomUUID(),
    event_name: name,
    timestamp: world.clock.timestamp(),
    event_metadata: {
      request_id: world.ids.request(),
      ...(institution !== null && { institution_id: institution.id, institution_name: institution.name }),
      ...more,
    },
  })
}

/** Shows another step, and records that the view changed. */
export function goTo(world: World, page: LinkPage, step: Step): void {
  page.step = step
  const type = step === 'mfa' ? page.rounds[page.passedRounds]?.type : undefined
  recordEvent(world, page, 'TRANSITION_VIEW', { view_name: views[step], ...(type !== undefined && { mfa_type: type }) })
}

export function recordError(world: World, page: LinkPage, error: ErrorBody): void {
  page.error = error
  recordEvent(world, page, 'ERROR', errorFields(error))
}

export function errorFields({ error_type, error_code, error_message }: ErrorBody): Record<string, string> {
  return { error_type, error_code, error_message }
}

/** The point at which a user who leaves now leaves Link. */
export function exitStatusOf({ step, rounds, passedRounds, search }: LinkPage): ExitStatus {
  if (step === 'accounts') return 'requires_account_selection'
  if (step === 'oauth' || step === 'departure') return 'requires_oauth'
  if (step === 'bank' && search?.found === false) return 'institution_not_found'
  const type = step === 'mfa' ? rounds[passedRounds]?.type : undefined
  if (type === undefined) return 'requires_credentials'
  return type === 'device' ? 'choose_device' : `requires_${type}`
}

const absent = {
  account_number_mask: null,
  error_code: null,
  error_message: null,
  error_type: null,
  exit_status: null,
  institution_id: null,
  institution_name: null,
  institution_search_query: null,
  is_update_mode: null,
  match_reason: null,
  mfa_type: null,
  routing_number: null,
  selection: null,
  view_name: null,
}

/** The metadata of `onEvent`: every member, null where it does not apply. */
export function sdkMetadata({ timestamp, event_metadata }: LinkEvent, sessionId: string, isUpdate: boolean) {
  return {
    ...absent,
    is_update_mode: String(isUpdate),
    ...event_metadata,
    link_session_id: sessionId,
    timestamp,
  }
}
