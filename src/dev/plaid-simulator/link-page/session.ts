// Opens and ends the sessions behind the pages. What a session does to items goes through `playLink` and the journal, as
// for the control that plays a user.
import { HTTPException } from 'hono/http-exception'
import { announceEvents, type Finished, playLink } from '../control/finish-link.ts'
import { linkRequest } from '../control/requests.ts'
import { failure, PlaidFailure } from '../lib/failure.ts'
import { type LinkPage, newLinkPage } from '../state/link-page.ts'
import { type LinkToken, statusOf } from '../state/link-token.ts'
import type { World } from '../state/world.ts'
import { errorFields, exitStatusOf, goTo, recordError, recordEvent } from './record-event.ts'

/** Why a link token has no page: `unknown`, `expired`, `used`, or `not_hosted` for a token that an SDK opens. */
export type NoPage = 'unknown' | 'expired' | 'used' | 'not_hosted'

/** The link token, if a session can run with it now. */
export function usableToken(world: World, text: string): LinkToken | NoPage {
  const token = world.linkTokens.get(text)
  if (token === undefined) return 'unknown'
  if (token.expiresAtMs < world.clock.nowMs()) return 'expired'
  const last = token.sessions.at(-1)
  if (last === undefined || last.finished === null) return token
  // A user who left can open Link again while the token is valid.
  return statusOf(last) === 'SUCCESS' ? 'used' : token
}

/** The open page of the link token. */
export function openPageOf({ linkPages }: World, { token }: LinkToken): LinkPage | null {
  const page = linkPages.get(token)
  return page === undefined || page.session.finished !== null ? null : page
}

/** Notes that the user's browser sent a request. If it sends no other one in time, the session is reported as abandoned. */
export function noteRequest(world: World, token: LinkToken, page: LinkPage): void {
  page.requests += 1
  const { requests } = page
  world.timers.after(world.settings.linkAbandonedMs, () => {
    const isAbandoned = page.requests === requests && page.session.finished === null
    if (isAbandoned) announceEvents(world, token, page.session)
  })
}

/** Opens Link: a new page in the link token's open session, or in a new one. */
export function openPage(world: World, token: LinkToken, parentOrigin: string | null): LinkPage {
  play(world, { link_token: token.token, open: true })
  const session = token.sessions.at(-1)
  if (session === undefined) throw new Error('an opened session is missing')
  const page = newLinkPage(token.token, session, parentOrigin)
  page.sentEvents = session.events.length
  world.linkPages.set(token.token, page)
  recordEvent(world, page, 'OPEN')
  goTo(world, page, 'consent')
  return page
}

/**
 * Links the bank or repairs the item, with these accounts; null shares all. A multi-item session stays open. The failure
 * of the bank or of Plaid becomes the page's error.
 */
export function link(world: World, token: LinkToken, page: LinkPage, accounts: readonly string[] | null): void {
  const { institution, credentials } = page
  const staysOpen = token.multiItem && token.updateItemId === null
  try {
    play(world, {
      link_token: token.token,
      ...(token.updateItemId === null && institution !== null && { institution_id: institution.id }),
      ...(token.updateItemId === null && credentials !== null && { username: credentials.username }),
      ...(token.updateItemId === null && credentials?.password != null && { password: credentials.password }),
      ...(accounts !== null && { account_ids: [...accounts] }),
      ...(staysOpen && { finish: false }),
    })
  } catch (error) {
    if (!(error instanceof PlaidFailure) && !(error instanceof HTTPException)) throw error
    recordError(world, page, (error instanceof PlaidFailure ? error : failure('ITEM_NOT_FOUND')).body)
    goTo(world, page, 'error')
    return
  }
  goTo(world, page, 'linked')
  if (!staysOpen) handOff(world, token, page)
}

/** Ends a multi-item session that has linked at least one bank. */
export function finishSession(world: World, token: LinkToken, page: LinkPage): void {
  play(world, { link_token: token.token, exit: true })
  handOff(world, token, page)
}

function handOff(world: World, token: LinkToken, page: LinkPage): void {
  recordEvent(world, page, 'HANDOFF')
  announceEvents(world, token, page.session)
}

/** The user leaves Link. A session that has linked a bank has still succeeded. */
export function leave(world: World, token: LinkToken, page: LinkPage): void {
  const status = exitStatusOf(page)
  const code = page.error?.error_code
  recordEvent(world, page, 'EXIT', { exit_status: status, ...(page.error !== null && errorFields(page.error)) })
  play(world, {
    link_token: token.token,
    exit: {
      status,
      ...(page.institution !== null && { institution_id: page.institution.id }),
      ...(code !== undefined && { error_code: code }),
    },
  })
  announceEvents(world, token, page.session)
}

function play(world: World, request: object): Finished {
  world.journal.note({ op: 'link', body: JSON.stringify(request) })
  return playLink(world, linkRequest.parse(request))
}
