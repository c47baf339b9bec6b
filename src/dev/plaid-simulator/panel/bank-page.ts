// One bank: its login, its accounts and its transactions.
import type { Account } from '../bank/model.ts'
import { type Html, html } from '../link-page/html.ts'
import { type Item, openAccounts } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { loginErrors, accountKinds } from './bank-orders.ts'
import { itemPath, state } from './banks-page.ts'
import type { PanelPage } from './layout.ts'
import { action, choose, field, hidden, tick } from './parts.ts'
import { amountWords, transactionFields, transactionList, type Wanted } from './transactions-part.ts'

export function bankPage(world: World, item: Item, wanted: Wanted): PanelPage {
  const gives = item.status === 'good' || item.status === 'login_required'
  return {
    here: 'banks',
    title: item.institution.name,
    body: html`<p>${state(item)}</p>
      <p class="soft">User <code>${item.username}</code>, item <code>${item.itemId}</code></p>
      ${gives ? parts(world, item, wanted) : html`<p class="card">It gives no data, so there is nothing to change.</p>`}`,
  }
}

function parts(world: World, item: Item, wanted: Wanted): Html {
  const path = itemPath(item)
  return html`${login(item, path)} ${accounts(item, path)}
    <section class="card" aria-labelledby="add">
      <h2 id="add">New transaction</h2>
      ${action({
        path: `${path}/add`,
        effect: 'The bank books it. Plaid reads it at once and says so by webhook.',
        button: 'Add the transaction',
        fields: html`${choose('account_id', 'Account', [
          { value: '', label: 'Any' },
          ...spendable(item).map(({ account_id, name }) => ({ value: account_id, label: name })),
        ])}
        ${transactionFields({ name: '', amount: null, date: world.clock.today() })} ${tick('pending', 'Pending')}`,
      })}
    </section>
    ${transactionList(item, path, wanted)}`
}

const spendable = (item: Item): Account[] => openAccounts(item).filter(({ type }) => type !== 'investment')

function login(item: Item, path: string): Html {
  const broken = action({
    path: `${path}/repair`,
    effect:
      'The login works again without the user: Plaid sends LOGIN_REPAIRED. To repair it as the user, sign in again in the application.',
    button: 'Repair the login',
  })
  const working = action({
    path: `${path}/break`,
    effect: 'Plaid can read nothing until the user logs in again, and says so by webhook.',
    button: 'Break the login',
    fields: choose(
      'error_code',
      'Error',
      loginErrors.map((value) => ({ value, label: value })),
    ),
  })
  return html`<section class="card" aria-labelledby="login">
    <h2 id="login">Login</h2>
    ${item.status === 'good' ? working : broken}
    <details>
      <summary>Consent and end of access</summary>
      ${action({
        path: `${path}/expire`,
        effect: 'The user’s consent ends in a week: PENDING_EXPIRATION.',
        button: 'Let the consent expire',
      })}
      ${action({
        path: `${path}/disconnect`,
        effect: 'The bank moves to another connection, and this one ends in a week: PENDING_DISCONNECT.',
        button: 'Announce the end of the connection',
      })}
      ${action({
        path: `${path}/revoke`,
        effect:
          'The user withdraws the access at the bank: USER_PERMISSION_REVOKED. The item is lost for good, and a new link is needed.',
        button: 'Revoke the access',
        confirm: 'Yes, end the access for good',
      })}
    </details>
  </section>`
}

function accounts(item: Item, path: string): Html {
  const open = openAccounts(item)
  const rows = open.map(
    ({ account_id, name, mask, subtype, type, balances }) =>
      html`<li>
        <details>
          <summary>
            <span class="name">${name}<small>${subtype ?? type}${mask !== null && ` ••${mask}`}</small></span>
            <span class="amount"
              >${balances.current === null ? 'No balance' : amountWords(balances.current, balances)}</span
            >
          </summary>
          ${action({
            path: `${path}/close`,
            effect: `The bank closes ${name}. Its transactions stay. Plaid sends no webhook, so applications notice at their next read.`,
            button: `Close ${name}`,
            fields: hidden('account_id', account_id),
          })}
          ${action({
            path: `${path}/withdraw`,
            effect: `The user stops sharing ${name} with this application: USER_ACCOUNT_REVOKED. The application must delete its data.`,
            button: `Stop sharing ${name}`,
            fields: hidden('account_id', account_id),
          })}
        </details>
      </li>`,
  )
  return html`<section class="card" aria-labelledby="accounts">
    <h2 id="accounts">Accounts</h2>
    ${
      open.length === 0
        ? html`<p>No account is open.</p>`
        : html`<ul class="rows">
            ${rows}
          </ul>`
    }
    <details>
      <summary>Open an account</summary>
      ${action({
        path: `${path}/open`,
        effect:
          'The bank opens an account with a balance of 100.00 USD: NEW_ACCOUNTS_AVAILABLE. The application ' +
          'sees it when the user shares it.',
        button: 'Open the account',
        fields: html`${choose(
          'kind',
          'Kind',
          Object.entries(accountKinds).map(([value, [, label]]) => ({ value, label })),
        )}
        ${field({ name: 'name', label: 'Name', value: 'New account' })} ${tick('shared', 'The user shares it now')}`,
      })}
    </details>
  </section>`
}
