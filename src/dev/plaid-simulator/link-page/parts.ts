// Parts that several pages have.
import type { LinkPage } from '../state/link-page.ts'
import type { OfferedAccount } from './accounts.ts'
import { type Html, html } from './html.ts'

/** What went wrong with the last form. Screen readers announce it. */
export function alert({ error, notice }: Pick<LinkPage, 'error' | 'notice'>): Html | null {
  if (notice !== null) return html`<p class="alert" role="alert">${notice}</p>`
  if (error === null) return null
  const { display_message: display, error_code: code, error_message: message } = error
  return html`<p class="alert" role="alert">${display ?? sentence(message)} <code>${code}</code></p>`
}

export function sentence(message: string): string {
  return `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`
}

interface CredentialsForm {
  readonly action: string
  readonly username: string
  readonly submit: string
  readonly page: Pick<LinkPage, 'error' | 'notice' | 'parentOrigin'>
}

export function credentialsForm({ action, username, submit, page }: CredentialsForm): Html {
  const known = username !== ''
  return html`${alert(page)}
    <form method="post" action="${action}" autocomplete="off">
      <label for="username">User name</label>
      <input
        id="username"
        name="username"
        value="${username}"
        required
        autocapitalize="none"
        autocomplete="off"
        spellcheck="false"
        ${!known && focus(page)}
      />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required autocomplete="off" ${known && focus(page)} />
      <button class="main">${submit}</button>
    </form>`
}

/** Gives an element the focus. Browsers ignore `autofocus` in a frame of another origin; there, embed.js does it. */
export function focus({ parentOrigin }: Pick<LinkPage, 'parentOrigin'>): Html {
  return parentOrigin === null ? html`autofocus` : html`data-focus`
}

/** The sandbox's user names and passwords. `withQuestions` also lists those with a second factor. */
export function testCredentials(withQuestions: boolean): Html {
  const questions = html`<tr>
      <td><code>mfa_device</code></td>
      <td>The bank asks for a code: <code>1234</code></td>
    </tr>
    <tr>
      <td><code>mfa_questions_2_1</code></td>
      <td>Two rounds of one question: <code>answer_0_0</code>, then <code>answer_1_0</code></td>
    </tr>
    <tr>
      <td><code>mfa_selections</code></td>
      <td>A choice: <code>Yes</code></td>
    </tr>`
  return html`<details>
    <summary>Test users</summary>
    <table>
      <thead>
        <tr>
          <th scope="col">Password of <code>user_good</code></th>
          <th scope="col">What happens</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <td><code>pass_good</code></td>
          <td>The login works</td>
        </tr>
        ${withQuestions && questions}
        <tr>
          <td><code>error_ITEM_LOCKED</code></td>
          <td>The login is locked. Every other error of Plaid works the same way</td>
        </tr>
        <tr>
          <td>anything else</td>
          <td>The password is wrong</td>
        </tr>
      </tbody>
    </table>
    <p>
      <code>user_custom</code> takes JSON that describes its accounts as the password. Every other name has a separate
      bank and takes any password.
    </p>
  </details>`
}

export function accountChoices(accounts: readonly OfferedAccount[]): Html {
  const choices = accounts.map(
    ({ id, name, mask, kind, balance, shared }) =>
      html`<label class="choice">
        <input type="checkbox" name="account" value="${id}" ${shared && html`checked`} />
        <span class="name">${name}<small>${kind}${mask !== null && ` ••${mask}`}</small></span>
        <span class="amount">${balance}</span>
      </label>`,
  )
  return html`<fieldset>
    <legend>Accounts</legend>
    ${choices}
  </fieldset>`
}
