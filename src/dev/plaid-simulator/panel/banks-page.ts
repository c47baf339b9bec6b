// The banks that applications have linked.
import { type Html, html } from '../link-page/html.ts'
import { type Item, openAccounts } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { type PanelPage, panelPath } from './layout.ts'
import { counted } from './outcome.ts'

export const itemPath = ({ itemId }: Item): string => `${panelPath}/items/${encodeURIComponent(itemId)}`

/** The state in words, and whether the bank gives data now. */
function stateOf({ status, error }: Item): { words: string; isGood: boolean } {
  if (status === 'good') return { words: 'The login works', isGood: true }
  if (status === 'unexchanged')
    return { words: 'Linked; the application has not used its public token yet', isGood: true }
  if (status === 'login_required') return { words: `The login fails: ${error?.error_code ?? status}`, isGood: false }
  return {
    words: status === 'revoked' ? 'The user has revoked the access' : 'The application removed it',
    isGood: false,
  }
}

export function state(item: Item): Html {
  const { words, isGood } = stateOf(item)
  return html`<span class="state ${isGood ? 'good' : 'bad'}">${words}</span>`
}

export function banksPage({ items }: World): PanelPage {
  const linked = [...items.values()].filter((item) => item.status !== 'removed').toReversed()
  const removed = items.size - linked.length
  const rows = linked.map(
    (item) =>
      html`<li class="card">
        <h2><a href="${itemPath(item)}">${item.institution.name}</a></h2>
        <p>${state(item)}</p>
        <p class="soft">
          ${counted(openAccounts(item).length, 'account')} of ${item.username}, linked
          ${item.createdAt.slice(0, 16).replace('T', ' ')} UTC
        </p>
        <p class="soft">Item <code>${item.itemId}</code></p>
      </li>`,
  )
  const none = html`<p class="card">
    No bank is linked yet. Connect one in the application: choose any bank there, and log in as
    <code>user_good</code> with <code>pass_good</code>.
  </p>`
  return {
    here: 'banks',
    title: 'Banks',
    body: html`<p class="lead">Choose a bank that an application has linked, and change what happens there.</p>
      ${
        linked.length === 0
          ? none
          : html`<ul class="plain">
              ${rows}
            </ul>`
      }
      ${removed > 0 && html`<p class="soft">${counted(removed, 'bank')} removed by applications.</p>`}`,
  }
}
