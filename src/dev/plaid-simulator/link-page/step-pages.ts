// The pages of Link's steps.
import type { Institution } from '../bank/institutions.ts'
import type { LinkPage, Question, Step } from '../state/link-page.ts'
import { offeredAccounts, updatedItem, type Visitor } from './accounts.ts'
import { offeredBanks, searchBanks } from './actions.ts'
import { bankPath } from './bank-visit.ts'
import { type Html, html } from './html.ts'
import { button, type Shown } from './layout.ts'
import { accountChoices, alert, credentialsForm, focus, sentence, testCredentials } from './parts.ts'

interface Content {
  readonly title: string
  readonly body: Html
}

/** The current step. `search` is the text of the search for a bank. */
export function stepPage(visitor: Visitor, search: string): Shown {
  const { token, page } = visitor
  const base = `/hl/${token.token}`
  const { title, body } = contents[page.step](visitor, base, search)
  const back = withoutBack.has(page.step) ? html`<span></span>` : button(base, 'back', 'Back', 'quiet')
  return {
    base,
    title,
    body: html`<header>
        ${back}
        <span class="brand">Link</span>
        <a class="quiet" href="${base}?leave">Exit</a>
      </header>
      <h1>${title}</h1>
      ${body}`,
  }
}

const withoutBack = new Set<Step>(['consent', 'linked', 'departure'])

const contents: Readonly<Record<Step, (visitor: Visitor, base: string, search: string) => Content>> = {
  consent: consentPage,
  bank: bankPage,
  login: loginPage,
  mfa: mfaPage,
  accounts: accountsPage,
  oauth: oauthPage,
  departure: departurePage,
  error: errorPage,
  linked: linkedPage,
}

function consentPage({ world, token, page }: Visitor, base: string): Content {
  const item = updatedItem(world, token)
  const products = [...token.products, ...token.productsIfSupported, ...token.consents]
  const data = products.length === 0 ? null : html`<p>Data: ${products.join(', ')}.</p>`
  const title =
    item === null ? `${token.clientName} uses Plaid to link your bank` : `Log in again at ${item.institution.name}`
  const purpose =
    item === null
      ? html`<p>You choose your bank, log in, and choose the accounts that ${token.clientName} may read.</p>`
      : html`<p>${token.clientName} needs a new login to keep reading your accounts.</p>`
  return {
    title,
    body: html`${alert(page)}${purpose}${data}
      <form method="post" action="${base}/consent"><button class="main" ${focus(page)}>Continue</button></form>`,
  }
}

function bankPage(visitor: Visitor, base: string, search: string): Content {
  const found = searchBanks(visitor, search)
  const hidden = offeredBanks(visitor.token).length === 0
  const none = hidden
    ? html`<p>No bank has all the products: ${visitor.token.products.join(', ')}.</p>`
    : html`<p role="status">No bank matches “${search}”. <a href="${base}">Show all</a></p>`
  const list = html`<form method="post" action="${base}/bank">
    <ul class="banks">
      ${found.map(bankChoice)}
    </ul>
  </form>`
  return {
    title: 'Choose your bank',
    body: html`<form method="get" action="${base}" role="search" class="search">
        <label for="q" class="hidden">Name of the bank</label>
        <input
          id="q"
          name="q"
          type="search"
          value="${search}"
          placeholder="Search"
          autocomplete="off"
          ${focus(visitor.page)}
        />
        <button class="quiet">Search</button>
      </form>
      ${found.length === 0 ? none : list}`,
  }
}

function bankChoice({ id, name, oauth, url }: Institution): Html {
  return html`<li>
    <button name="institution_id" value="${id}" class="choice">
      <span class="logo" aria-hidden="true">${name.slice(0, 1)}</span>
      <span class="name">${name}<small>${new URL(url).hostname}${oauth && ' · OAuth'}</small></span>
    </button>
  </li>`
}

const nameOf = ({ institution }: LinkPage): string => institution?.name ?? 'your bank'

function loginPage({ world, token, page }: Visitor, base: string): Content {
  const username = updatedItem(world, token)?.username ?? page.credentials?.username ?? ''
  return {
    title: `Log in at ${nameOf(page)}`,
    body: html`${credentialsForm({ action: `${base}/login`, username, submit: 'Log in', page })}${testCredentials(true)}`,
  }
}

const mfaTitles = {
  device: 'Choose a device',
  code: 'Enter the code',
  questions: 'Answer the questions of your bank',
  selections: 'Choose all that apply',
} as const

function mfaPage({ page }: Visitor, base: string): Content {
  const round = page.rounds[page.passedRounds]
  const type = round?.type ?? 'questions'
  return {
    title: mfaTitles[type],
    body: html`${alert(page)}
      ${type === 'code' && html`<p>The simulator sends nothing. The code is <code>1234</code>.</p>`}
      <form method="post" action="${base}/mfa" autocomplete="off">
        ${(round?.questions ?? []).map((question, index) => questionField(question, index, index === 0 && focus(page)))}
        <button class="main">Continue</button>
      </form>`,
  }
}

function questionField({ text, options }: Question, index: number, focused: Html | false): Html {
  const name = `answer_${index}`
  if (options === null) {
    return html`<label for="${name}">${text}</label>
      <input id="${name}" name="${name}" required autocomplete="off" ${focused} />`
  }
  const choices = options.map(
    (option) =>
      html`<label class="choice">
        <input type="radio" name="${name}" value="${option}" required /><span class="name">${option}</span>
      </label>`,
  )
  return html`<fieldset>
    <legend>${text}</legend>
    ${choices}
  </fieldset>`
}

function accountsPage(visitor: Visitor, base: string): Content {
  const { token, page } = visitor
  return {
    title: 'Choose your accounts',
    body: html`${alert(page)}
      <p>${token.clientName} will see these accounts at ${nameOf(page)}.</p>
      <form method="post" action="${base}/accounts">
        ${accountChoices(offeredAccounts(visitor))}
        <button class="main">Share the accounts</button>
      </form>`,
  }
}

function oauthPage({ page }: Visitor, base: string): Content {
  return {
    title: `Log in on the page of ${nameOf(page)}`,
    body: html`${alert(page)}
      <p>You log in on the page of your bank, which then sends you back here. Plaid does not see your password.</p>
      <form method="post" action="${base}/oauth">
        <button class="main" ${focus(page)}>Continue to your bank</button>
      </form>`,
  }
}

function departurePage({ page }: Visitor): Content {
  const path = page.visit === null ? '' : bankPath(page.visit)
  return {
    title: `Going to ${nameOf(page)}`,
    body: html`<p>Your browser opens the page of your bank.</p>
      <p><a href="${path}" target="_top">Open it now</a></p>`,
  }
}

function errorPage({ token, page }: Visitor, base: string): Content {
  const { error } = page
  return {
    title: token.updateItemId === null ? 'The bank could not be linked' : 'The login could not be repaired',
    body: html`<p class="alert" role="alert">
        ${error?.display_message ?? sentence(error?.error_message ?? 'something went wrong')}
        <code>${error?.error_code ?? ''}</code>
      </p>
      ${button(base, 'retry', 'Try again')}`,
  }
}

function linkedPage({ token, page }: Visitor, base: string): Content {
  return {
    title: `${nameOf(page)} is linked`,
    body: html`<p>You can link another bank, or return to ${token.clientName}.</p>
      ${button(base, 'finish', 'Finish')}${button(base, 'another', 'Link another bank', 'quiet')}`,
  }
}
