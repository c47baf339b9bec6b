// Accounts that open and close at the bank.

import type { Account } from '../bank/model.ts'
import { exact } from '../bank/number.ts'
import { between } from '../bank/random.ts'
import type { Item } from '../item.ts'
import { openAccounts } from '../item.ts'
import type { WebhookBody } from '../webhooks/events.ts'
import { itemEvent } from '../webhooks/events.ts'
import type { BankChange, NewAccount } from './requests.ts'
import { refuse } from './requests.ts'

/** Opens an account. The client sees it once the user shares it in update mode, or at once when it is `shared`. */
export function openNewAccount(
  item: Item,
  wanted: NonNullable<BankChange['new_account']>,
): { accountId: string; webhooks: WebhookBody[] } {
  const { shared, ...particulars }: NewAccount = wanted === true ? {} : wanted
  const digits = String(between(item.bankRandom, 0, 9999)).padStart(4, '0')
  const account: Account = {
    account_id: item.bankIds('account'),
    balances: {
      available: exact('100.00'),
      current: exact('100.00'),
      limit: null,
      iso_currency_code: 'USD',
      unofficial_currency_code: null,
    },
    mask: particulars.mask === undefined ? digits : particulars.mask,
    name: particulars.name ?? 'New Account',
    official_name: particulars.official_name ?? null,
    type: particulars.type ?? 'depository',
    subtype: particulars.subtype === undefined ? 'savings' : particulars.subtype,
    holder_category: 'personal',
  }
  if (shared === true) item.bank.accounts.push(account)
  else item.unshared.push(account)
  return { accountId: account.account_id, webhooks: [itemEvent(item, 'NEW_ACCOUNTS_AVAILABLE')] }
}

/** The user shares what the bank has opened since. */
export function shareNewAccounts(item: Item): void {
  item.bank.accounts.push(...item.unshared.splice(0))
}

/** Closes this account, or the newest one. Its transactions stay. Plaid sends no webhook about it. */
export function closeAccount(item: Item, wanted: NonNullable<BankChange['close_account']>): string {
  const open = openAccounts(item)
  const accountId = typeof wanted === 'object' ? wanted.account_id : wanted
  const account = accountId === true ? open.at(-1) : open.find(({ account_id }) => account_id === accountId)
  if (account === undefined) throw refuse(404, 'the item has no such open account')
  item.bank.closedAccountIds.add(account.account_id)
  return account.account_id
}

/** The user withdraws one account at the bank: it is gone, and its transactions with it. */
export function withdrawAccount(item: Item, accountId: string): void {
  const { bank } = item
  if (!bank.accounts.some(({ account_id }) => account_id === accountId)) {
    throw refuse(404, `the item has no account ${accountId}`)
  }
  bank.accounts = bank.accounts.filter(({ account_id }) => account_id !== accountId)
  bank.transactions = bank.transactions.filter(({ account_id }) => account_id !== accountId)
}
