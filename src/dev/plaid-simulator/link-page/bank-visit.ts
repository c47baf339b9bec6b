// The visit to the page of a bank with OAuth (https://plaid.com/docs/link/oauth/): the user leaves Link, logs in at the
// bank, allows or denies the access, and returns with Plaid's `oauth_state_id`.
import { PlaidFailure, failure } from '../lib/failure.ts'
import type { BankVisit, LinkPage } from '../state/link-page.ts'
import type { LinkToken } from '../state/link-token.ts'
import type { World } from '../state/world.ts'
import { chosenAccounts, logIn } from './accounts.ts'
import { goTo, recordError, recordEvent } from './record-event.ts'
import { checkLogin } from './sandbox-login.ts'
import { link } from './session.ts'

export interface AtBank {
  readonly world: World
  readonly token: LinkToken
  readonly page: LinkPage
  readonly visit: BankVisit
}

export const noAccount = 'Choose at least one account.'

export function openVisit(world: World, page: LinkPage): void {
  page.visit = { state: world.ids.uuid('oauth'), username: null, decision: null }
  recordEvent(world, page, 'OPEN_OAUTH')
}

export function bankPath({ state }: BankVisit): string {
  return `/bank/${state}`
}

/** The open visit with this state. */
export function visitWith(world: World, state: string): AtBank | null {
  for (const page of world.linkPages.values()) {
    const token = world.linkTokens.get(page.linkToken)
    if (page.visit?.state !== state || token === undefined || page.session.finished !== null) continue
    return token.expiresAtMs < world.clock.nowMs() ? null : { world, token, page, visit: page.visit }
  }
  return null
}

/** Whether the user chooses accounts at the bank. */
export function choosesAccounts({ updateItemId, accountSelection }: LinkToken): boolean {
  return updateItemId === null || accountSelection
}

/**
 * Handles one form of the bank's page. Returns whether the user is done there. A bank with OAuth never asks
 * for a second factor.
 */
export function actAtBank(at: AtBank, name: string, form: URLSearchParams): boolean {
  const { page, visit } = at
  page.error = null
  page.notice = null
  if (name === 'deny') {
    visit.decision = 'denied'
    return true
  }
  if (name === 'login') logInAtBank(at, form)
  if (name === 'allow' && visit.username !== null) allow(at, form)
  return visit.decision !== null
}

function logInAtBank(at: AtBank, form: URLSearchParams): void {
  const username = form.get('username')?.trim() ?? ''
  const password = form.get('password') ?? ''
  try {
    checkLogin(username, password)
    logIn(at, username, password)
    at.visit.username = username
  } catch (error) {
    if (!(error instanceof PlaidFailure)) throw error
    // Plaid does not see what happens on the bank's page, so this is no event.
    at.page.error = error.body
  }
}

function allow(at: AtBank, form: URLSearchParams): void {
  const chosen = choosesAccounts(at.token) ? chosenAccounts(at, form) : []
  if (choosesAccounts(at.token) && chosen.length === 0) at.page.notice = noAccount
  else at.visit.decision = chosen
}

/** Where the bank sends the browser: to the application's `redirect_uri`, or to Plaid in Hosted Link. */
export function returnUrl({ token, page, visit }: AtBank): string {
  const query = `oauth_state_id=${visit.state}`
  if (page.parentOrigin !== null && token.redirectUri !== null) return `${token.redirectUri}?${query}`
  return `/hl/${token.token}/return?${query}`
}

/** Continues Link after the visit. Another state than that of the open visit changes nothing and returns false. */
export function returnFromBank(world: World, token: LinkToken, page: LinkPage, state: string): boolean {
  const { visit } = page
  if (visit === null || visit.state !== state) return false
  page.visit = null
  page.error = null
  if (Array.isArray(visit.decision)) {
    link(world, token, page, choosesAccounts(token) ? visit.decision : null)
    return true
  }
  recordEvent(world, page, visit.decision === 'denied' ? 'FAIL_OAUTH' : 'CLOSE_OAUTH')
  goTo(world, page, 'oauth')
  if (visit.decision === 'denied') recordError(world, page, failure('ACCESS_NOT_GRANTED').body)
  return true
}
