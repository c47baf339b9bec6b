// The transactions of one bank, newest first, each with what the bank can do to it.
import type { Transaction } from '../bank/model.ts'
import { negateExact } from '../bank/number.ts'
import type { Currency, RawNumber } from '../bank/values.ts'
import { type Html, html } from '../link-page/html.ts'
import type { Item } from '../state/item.ts'
import { action, choose, field, hidden } from './parts.ts'

/** Which transactions the page shows. */
export interface Wanted {
  /** A part of the name. */
  readonly search: string
  readonly count: number
}

export const firstCount = 20

const isNegative = ({ rawJSON }: RawNumber): boolean => rawJSON.startsWith('-')
const unsigned = (amount: RawNumber): RawNumber => (isNegative(amount) ? negateExact(amount) : amount)

/** Every digit, and the currency. */
export function amountWords(
  { rawJSON }: RawNumber,
  { iso_currency_code: code, unofficial_currency_code: other }: Currency,
): string {
  return `${rawJSON} ${code ?? other ?? ''}`.trim()
}

/** The fields of a new transaction, or of one that changes. */
export function transactionFields(row: { name: string; amount: RawNumber | null; date: string }): Html {
  const { name, amount, date } = row
  return html`${field({ name: 'name', label: 'Name', value: name, hint: 'Coffee' })}
  ${field({
    name: 'amount',
    label: 'Amount',
    value: amount === null ? '' : unsigned(amount).rawJSON,
    hint: '4.50',
  })}
  ${choose(
    'direction',
    'Direction',
    [
      { value: 'out', label: 'Money out' },
      { value: 'in', label: 'Money in' },
    ],
    amount !== null && isNegative(amount) ? 'in' : 'out',
  )}
  ${field({ name: 'date', label: 'Date', type: 'date', value: date })}`
}

export function transactionList(item: Item, path: string, { search, count }: Wanted): Html {
  const names = new Map(item.bank.accounts().map(({ account_id, name }) => [account_id, name]))
  const text = search.toLowerCase()
  const found = item.bank
    .transactions()
    .filter(({ name }) => name.toLowerCase().includes(text))
    .toSorted((left, right) => Number(right.pending) - Number(left.pending) || right.date.localeCompare(left.date))
  const shown = found.slice(0, count)
  const query = new URLSearchParams({ ...(search !== '' && { q: search }), count: String(count * 2) })
  const hasPending = found.some(({ pending }) => pending)
  return html`<section class="card" aria-labelledby="transactions">
    <h2 id="transactions">Transactions</h2>
    ${
      hasPending &&
      action({
        path: `${path}/post-all`,
        effect: 'Each pending transaction is removed, and returns as a posted one with a new id.',
        button: 'Post everything that is pending',
      })
    }
    <form method="get" action="${path}#transactions" role="search" class="search">
      <label>Name contains<input name="q" type="search" value="${search}" autocomplete="off" /></label>
      <button class="quiet">Search</button>
    </form>
    ${found.length === 0 && html`<p>No transaction has such a name.</p>`}
    <ul class="rows">
      ${shown.map((row) => transaction(row, names.get(row.account_id) ?? 'a closed account', path))}
    </ul>
    ${
      found.length > shown.length &&
      html`<p><a class="more" href="${path}?${query.toString()}#transactions">Show more of ${found.length}</a></p>`
    }
  </section>`
}

function transaction(row: Transaction, account: string, path: string): Html {
  const { transaction_id: id, name, amount, date, pending } = row
  return html`<li>
    <details>
      <summary>
        <span class="name">${name}<small>${date} · ${account}${pending && ' · pending'}</small></span>
        <span class="amount">${isNegative(amount) ? '+' : '−'}${amountWords(unsigned(amount), row)}</span>
      </summary>
      ${
        pending &&
        action({
          path: `${path}/post`,
          effect: 'The pending transaction is removed, and returns as a posted one with a new id.',
          button: 'Post it',
          fields: hidden('transaction_id', id),
        })
      }
      ${action({
        path: `${path}/modify`,
        effect: 'The bank corrects it under the same id.',
        button: 'Change it',
        fields: html`${hidden('transaction_id', id)} ${transactionFields({ name, amount, date })}`,
      })}
      ${action({
        path: `${path}/remove`,
        effect: 'The bank takes it back, and applications must delete it.',
        button: 'Remove it',
        fields: hidden('transaction_id', id),
      })}
    </details>
  </li>`
}
