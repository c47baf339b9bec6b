// The pages around Link's steps: the question before leaving, the end, the reasons why there is no page, and the bank's
// own page.
import { type LinkSession, type LinkToken, statusOf } from '../state/link-token.ts'
import { offeredAccounts, type Visitor } from './accounts.ts'
import { type AtBank, bankPath, choosesAccounts } from './bank-visit.ts'
import { type Html, html } from './html.ts'
import { button, type Shown } from './layout.ts'
import { accountChoices, alert, credentialsForm, testCredentials } from './parts.ts'
import type { NoPage } from './session.ts'

export function leavePage({ token, page }: Visitor): Shown {
  const base = `/hl/${token.token}`
  const { title, effect } = leaving(token, page.session)
  return {
    base,
    title,
    body: html`<h1>${title}</h1>
      <p>${effect}</p>
      ${button(base, 'exit', 'Leave')}
      <p><a class="wide quiet" href="${base}">Stay</a></p>`,
  }
}

function leaving({ clientName, updateItemId }: LinkToken, { added }: LinkSession): { title: string; effect: string } {
  if (added.length > 0) return { title: 'Leave Link?', effect: 'The banks that you have linked stay linked.' }
  if (updateItemId === null)
    return { title: 'Leave without linking?', effect: `${clientName} gets no access to your bank.` }
  return { title: 'Leave without a new login?', effect: `${clientName} cannot read your accounts until you log in.` }
}

/** The end of a session that leads to no page of the application. */
export function endPage({ token, clientName, updateItemId }: LinkToken, session: LinkSession): Shown {
  const linked = session.added.length > 1 ? 'Your banks are linked' : 'Your bank is linked'
  const done = updateItemId === null ? linked : 'Your login works again'
  const title = statusOf(session) === 'SUCCESS' ? done : 'You have left Link'
  return {
    base: `/hl/${token}`,
    title,
    body: html`<h1>${title}</h1>
      <p>You can close this window and return to ${clientName}.</p>`,
  }
}

const reasons: Readonly<Record<NoPage | 'wrong_state', { readonly title: string; readonly text: string }>> = {
  unknown: { title: 'This link does not exist', text: 'The simulator has no such link token. It may have been reset.' },
  expired: { title: 'This link has expired', text: 'Go back to the application and start again.' },
  used: {
    title: 'This link has been used',
    text: 'Go back to the application. To link another bank, start again there.',
  },
  not_hosted: {
    title: 'This link opens in the application',
    text: 'Its link token was created without hosted_link, so only link-initialize.js can open it.',
  },
  wrong_state: {
    title: 'This return belongs to another visit',
    text: 'The oauth_state_id is not that of the open visit to the bank. Go back to the application and start again.',
  },
}

export function noPage(reason: NoPage | 'wrong_state'): Shown {
  const { title, text } = reasons[reason]
  return {
    base: '',
    title,
    body: html`<h1>${title}</h1>
      <p>${text}</p>`,
  }
}

/** The bank's own page: it asks for a login, then for the accounts to share. */
export function bankSitePage(at: AtBank): Shown {
  const { page, visit } = at
  const base = bankPath(visit)
  const bank = page.institution?.name ?? 'Bank'
  const { title, body } = visit.username === null ? bankLogin(at, base) : bankConsent(at, base)
  return {
    base,
    title: `${title} · ${bank}`,
    site: 'bank',
    body: html`<header><span class="brand">${bank}</span></header>
      <h1>${title}</h1>
      ${body}${button(base, 'deny', 'Cancel and go back', 'quiet')}`,
  }
}

interface Content {
  readonly title: string
  readonly body: Html
}

function bankLogin({ world, token, page }: AtBank, base: string): Content {
  const username = world.items.get(token.updateItemId ?? '')?.username ?? ''
  return {
    title: 'Log in',
    body: html`${credentialsForm({ action: `${base}/login`, username, submit: 'Log in', page })}${testCredentials(false)}`,
  }
}

function bankConsent(at: AtBank, base: string): Content {
  const { token, page } = at
  const chooses = choosesAccounts(token)
  return {
    title: `Allow ${token.clientName} to read your data?`,
    body: html`${alert(page)}
      <p>
        ${token.clientName} uses Plaid to read
        ${chooses ? 'the accounts that you choose' : 'the accounts that it had before'}.
      </p>
      <form method="post" action="${base}/allow">
        ${chooses && accountChoices(offeredAccounts(at))}
        <button class="main">Allow</button>
      </form>`,
  }
}
