// A small bank in Plaid's place. Each new link, and `renumber`, gives the same accounts and transactions new ids. Each
// account and each transaction has a key that never changes and that only the test knows; the category of a transaction
// is its key.
import { createSecret, type Secret } from '../../src/crypto/secret.ts'
import type { PlaidResult } from '../../src/plaid/client.ts'
import type { PlaidAccount, PlaidTransaction } from '../../src/plaid/schemas.ts'
import type { Services } from '../../src/context.ts'
import { withPlaid } from './with-plaid.ts'

export interface MiniRow {
  readonly key: string
  readonly date: string
  readonly amount: string
  readonly name: string
}

export interface MiniAccount {
  readonly key: string
  name: string
  mask: string | null
  officialName: string | null
  persistentId: string | null
  type: string
  subtype: string | null
  balance: string
  rows: MiniRow[]
}

export interface MiniLogin {
  institutionId: string | null
  accounts: MiniAccount[]
  /** Accounts that were closed before the link: only transactions name them. */
  readonly closed?: readonly MiniAccount[]
}

interface MiniItem {
  readonly id: string
  readonly login: MiniLogin
  /** The accounts at the time of the link. Transactions name them even after they are closed. */
  readonly linked: readonly MiniAccount[]
  /** Account → how often its ids have changed. */
  readonly generations: Map<MiniAccount, number>
  /** What /transactions/sync returns, in order. A cursor is an index in this list. */
  readonly events: ({ readonly added: PlaidTransaction } | { readonly removed: string })[]
}

export interface MiniBank {
  /** Creates an item at Plaid and returns its public token. */
  link(login: MiniLogin): string
  /**
   * Gives the item's account and its transactions new ids. `tellsRemoved`: whether the old transactions are reported as
   * removed.
   */
  renumber(plaidItemId: string, account: MiniAccount, tellsRemoved: boolean): void
  /** Adds a transaction to the item's /transactions/sync. */
  post(plaidItemId: string, account: MiniAccount, row: MiniRow): void
  /** Runs `happen` before the next response of /transactions/sync. */
  beforeNextAnswer(happen: () => Promise<void>): void
  services(services: Services): Services
}

const ok = <Value>(value: Value): Promise<PlaidResult<Value>> => Promise.resolve({ ok: true, value, requestId: 'mini' })

export function createMiniBank(name: string): MiniBank {
  const items = new Map<string, MiniItem>()
  const due: (() => Promise<void>)[] = []
  const idOf = (item: MiniItem, account: MiniAccount): string =>
    `${item.id}/${account.key}/${item.generations.get(account) ?? 0}`
  const itemOf = (token: Secret): MiniItem => {
    const item = items.get(token.reveal().replace(/^(?:access|public)-/, ''))
    if (item === undefined) throw new Error('no such item')
    return item
  }
  const accountOf = (item: MiniItem, account: MiniAccount): PlaidAccount => ({
    account_id: idOf(item, account),
    persistent_account_id: account.persistentId,
    name: account.name,
    official_name: account.officialName,
    mask: account.mask,
    type: account.type,
    subtype: account.subtype,
    has_name: true,
    has_type: true,
    balances: {
      current: account.balance,
      available: null,
      limit: null,
      iso_currency_code: 'USD',
      unofficial_currency_code: null,
    },
  })
  const rowOf = (item: MiniItem, account: MiniAccount, row: MiniRow): PlaidTransaction => ({
    transaction_id: `${idOf(item, account)}/${row.key}`,
    account_id: idOf(item, account),
    pending_transaction_id: null,
    date: row.date,
    authorized_date: null,
    amount: row.amount,
    iso_currency_code: 'USD',
    unofficial_currency_code: null,
    name: row.name,
    merchant_name: null,
    logo_url: null,
    website: null,
    personal_finance_category: { primary: row.key, detailed: row.key, confidence_level: null, version: 'v2' },
    pending: false,
    payment_channel: null,
  })
  const rowsOf = (item: MiniItem, account: MiniAccount): PlaidTransaction[] =>
    account.rows.map((row) => rowOf(item, account, row))
  const accounts = (item: MiniItem) => item.login.accounts.map((account) => accountOf(item, account))
  return {
    link(login) {
      const linked = [...login.accounts, ...(login.closed ?? [])]
      const item: MiniItem = { id: `${name}-${items.size}`, login, linked, generations: new Map(), events: [] }
      items.set(item.id, item)
      for (const account of linked) item.events.push(...rowsOf(item, account).map((added) => ({ added }) as const))
      return `public-${item.id}`
    },
    renumber(plaidItemId, account, tellsRemoved) {
      const item = items.get(plaidItemId)
      if (item === undefined) throw new Error('no such item')
      const before = rowsOf(item, account)
      item.generations.set(account, (item.generations.get(account) ?? 0) + 1)
      if (tellsRemoved) item.events.push(...before.map(({ transaction_id: removed }) => ({ removed }) as const))
      // A read from the start returns only the transactions that exist now.
      const gone = new Set(before.map(({ transaction_id: id }) => id))
      const now = rowsOf(item, account)
      for (const [place, event] of item.events.entries())
        if ('added' in event && gone.has(event.added.transaction_id)) item.events[place] = { removed: 'nothing' }
      item.events.push(...now.map((added) => ({ added }) as const))
    },
    post(plaidItemId, account, row) {
      const item = items.get(plaidItemId)
      if (item === undefined) throw new Error('no such item')
      item.events.push({ added: rowOf(item, account, row) })
    },
    beforeNextAnswer(happen) {
      due.push(happen)
    },
    services: (services) =>
      withPlaid(services, {
        exchangePublicToken(publicToken) {
          const { id } = itemOf(publicToken)
          return ok({ access_token: createSecret(`access-${id}`), item_id: id })
        },
        getItem: (token) =>
          ok({
            item: {
              item_id: itemOf(token).id,
              institution_id: itemOf(token).login.institutionId,
              institution_name: 'Mini bank',
              webhook: services.config.plaid.webhookUrl,
              error: null,
              available_products: [],
              billed_products: ['transactions'],
              products: ['transactions'],
              consented_products: null,
              consent_expiration_time: null,
            },
            status: {
              last_webhook: { sent_at: null, code_sent: null },
              transactions: { last_successful_update: null },
              investments: { last_successful_update: null },
            },
          }),
        getAccounts: (token) => ok({ accounts: accounts(itemOf(token)), set_aside: [] }),
        async syncTransactions(token, cursor) {
          await due.shift()?.()
          const item = itemOf(token)
          const events = item.events.slice(Number(cursor ?? 0))
          const added = events.flatMap((event) => ('added' in event ? [event.added] : []))
          const named = new Set(added.map(({ account_id: id }) => id))
          return await ok({
            added,
            modified: [],
            removed: events.flatMap((event) => ('removed' in event ? [{ transaction_id: event.removed }] : [])),
            accounts: [...new Set([...item.linked, ...item.login.accounts])]
              .map((account) => accountOf(item, account))
              .filter(({ account_id: id }) => named.has(id)),
            next_cursor: String(item.events.length),
            has_more: false,
            set_aside: [],
            transactions_update_status: 'HISTORICAL_UPDATE_COMPLETE',
          })
        },
        getRecurring: () => ok({ inflow_streams: [], outflow_streams: [], set_aside: [] }),
        removeItem: () => ok({}),
        updateItemWebhook: () => ok({}),
      }),
  }
}
