// What the buttons of Link's pages do. Each step takes its own actions; another one, as from an old tab, does nothing.
import { type Institution, institutions } from '../bank/institutions.ts'
import { PlaidFailure } from '../lib/failure.ts'
import type { Step } from '../state/link-page.ts'
import type { LinkToken } from '../state/link-token.ts'
import { chosenAccounts, logIn, updatedItem, type Visitor } from './accounts.ts'
import { noAccount, openVisit } from './bank-visit.ts'
import { goTo, recordError, recordEvent } from './record-event.ts'
import { checkAnswers, checkLogin } from './sandbox-login.ts'
import { finishSession, leave, link } from './session.ts'

/** Handles one form. */
type Action = (visitor: Visitor, form: URLSearchParams) => void

/** The banks that have the products which the link token requires; Plaid hides the others. */
export function offeredBanks({ products }: LinkToken): Institution[] {
  return institutions.filter((each) => products.every((product) => each.products.includes(product)))
}

/** The banks whose name contains the text. Records the search. */
export function searchBanks({ world, token, page }: Visitor, text: string): Institution[] {
  const found = offeredBanks(token).filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()))
  if (text === '') page.search = null
  else if (page.search?.text !== text) {
    page.search = { text, found: found.length > 0 }
    recordEvent(world, page, 'SEARCH_INSTITUTION', { institution_search_query: text })
  }
  return found
}

function consent({ world, token, page }: Visitor): void {
  const item = updatedItem(world, token)
  if (item === null) return goTo(world, page, 'bank')
  page.institution = item.institution
  goTo(world, page, firstStepAt(item.institution))
}

const firstStepAt = ({ oauth }: Institution): Step => (oauth ? 'oauth' : 'login')

function selectBank({ world, token, page }: Visitor, form: URLSearchParams): void {
  const chosen = offeredBanks(token).find(({ id }) => id === form.get('institution_id'))
  if (chosen === undefined) return
  page.institution = chosen
  page.search = null
  recordEvent(world, page, 'SELECT_INSTITUTION')
  goTo(world, page, firstStepAt(chosen))
}

/** Errors that the user corrects in the same form. */
const correctable = new Set(['INVALID_CREDENTIALS', 'INVALID_UPDATED_USERNAME', 'INVALID_FIELD', 'INVALID_MFA'])

/** Runs a part of the login. A failure is shown in the same form, or on a separate page. */
function attempt({ world, page }: Visitor, part: () => void): void {
  try {
    part()
  } catch (error) {
    if (!(error instanceof PlaidFailure)) throw error
    recordError(world, page, error.body)
    if (!correctable.has(error.body.error_code)) goTo(world, page, 'error')
  }
}

function submitCredentials(visitor: Visitor, form: URLSearchParams): void {
  const { world, page } = visitor
  const username = form.get('username')?.trim() ?? ''
  const password = form.get('password') ?? ''
  recordEvent(world, page, 'SUBMIT_CREDENTIALS')
  attempt(visitor, () => {
    page.rounds = checkLogin(username, password)
    page.passedRounds = 0
    logIn(visitor, username, password)
    if (page.rounds.length > 0) goTo(world, page, 'mfa')
    else loggedIn(visitor)
  })
}

function submitMfa(visitor: Visitor, form: URLSearchParams): void {
  const { world, page } = visitor
  const round = page.rounds[page.passedRounds]
  if (round === undefined) return
  recordEvent(world, page, 'SUBMIT_MFA', { mfa_type: round.type })
  attempt(visitor, () => {
    const answers = round.questions.map((_, index) => form.get(`answer_${index}`) ?? '')
    checkAnswers(round, answers)
    page.passedRounds += 1
    if (page.passedRounds < page.rounds.length) goTo(world, page, 'mfa')
    else loggedIn(visitor)
  })
}

/** Update mode keeps the shared accounts, unless the link token lets the user choose them again. */
function loggedIn({ world, token, page }: Visitor): void {
  if (token.updateItemId !== null && !token.accountSelection) link(world, token, page, null)
  else goTo(world, page, 'accounts')
}

function chooseAccounts(visitor: Visitor, form: URLSearchParams): void {
  const chosen = chosenAccounts(visitor, form)
  if (chosen.length === 0) visitor.page.notice = noAccount
  else link(visitor.world, visitor.token, visitor.page, chosen)
}

function goToBank({ world, token, page }: Visitor): void {
  openVisit(world, page)
  // A framed page cannot take the browser to the bank: the page that embeds it does.
  if (page.parentOrigin !== null && token.redirectUri !== null) goTo(world, page, 'departure')
}

function goBack({ world, token, page }: Visitor): void {
  if (token.updateItemId !== null) return goTo(world, page, 'consent')
  page.institution = null
  page.credentials = null
  goTo(world, page, page.step === 'bank' ? 'consent' : 'bank')
}

function retry({ world, page }: Visitor): void {
  goTo(world, page, page.institution === null ? 'bank' : firstStepAt(page.institution))
}

function addAnother({ world, page }: Visitor): void {
  page.institution = null
  page.credentials = null
  goTo(world, page, 'bank')
}

const finish: Action = ({ world, token, page }) => finishSession(world, token, page)

const actions: Readonly<Record<Step, Readonly<Record<string, Action>>>> = {
  consent: { consent },
  bank: { bank: selectBank, back: goBack },
  login: { login: submitCredentials, back: goBack },
  mfa: { mfa: submitMfa, back: goBack },
  accounts: { accounts: chooseAccounts, back: goBack },
  oauth: { oauth: goToBank, back: goBack },
  departure: { back: goBack },
  error: { retry, back: goBack },
  linked: { another: addAnother, finish },
}

/** Runs the action if the current step has it. `exit` is possible everywhere. */
export function act(visitor: Visitor, name: string, form: URLSearchParams): void {
  const { world, token, page } = visitor
  if (name === 'exit') return leave(world, token, page)
  const action = Object.hasOwn(actions[page.step], name) ? actions[page.step][name] : undefined
  if (action === undefined) return
  page.error = null
  page.notice = null
  action(visitor, form)
}
