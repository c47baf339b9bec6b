// Adds, modifies, removes and posts transactions on request, by the bank's ids. Balances stay consistent.
import { addDays } from '../bank/calendar.ts'
import { book, inventTransaction, otherSideOf, postedFrom, unbook } from '../bank/invent.ts'
import type { Account, Transaction } from '../bank/model.ts'
import { cents } from '../bank/number.ts'
import { between, pick } from '../bank/random.ts'
import type { Item } from '../state/item.ts'
import type { World } from '../state/world.ts'
import { openAccountsOf } from './change-accounts.ts'
import { type Addition, type BankChange, type Modification, type PostPending, refuse } from './requests.ts'

/** A pending transaction posts by itself after this many of the bank's days. */
const pendingDays = 2

type Wanted<Key extends keyof BankChange> = NonNullable<BankChange[Key]>

/** Adds this many invented transactions, or the given ones with missing fields filled in. Returns the ids. */
export function addTransactions(world: World, item: Item, wanted: Wanted<'add'>): string[] {
  const additions: readonly Addition[] =
    typeof wanted === 'number' ? Array.from({ length: wanted }, () => ({})) : wanted
  return additions.map((addition) => {
    const transaction = filledIn(world, item, addition)
    book(item.login.bank, transaction)
    if (transaction.pending) {
      item.login.bank.backOffice.clearsOn.set(transaction.transaction_id, addDays(world.clock.today(), pendingDays))
    }
    return transaction.transaction_id
  })
}

function filledIn(world: World, item: Item, addition: Addition): Transaction {
  const { bank, random, ids } = item.login
  const account = accountFor(item, addition.account_id)
  const invented = inventTransaction({
    bank,
    random,
    today: addition.date ?? world.clock.today(),
    ids,
    pending: addition.pending ?? false,
    accountId: account.account_id,
  })
  const named = addition.name === undefined ? {} : { ...anonymous, original_description: addition.name }
  return withChanges({ ...invented, ...named }, addition)
}

/** The fields that are unknown for a transaction with only a name. */
const anonymous = { merchant_name: null, merchant_entity_id: null, logo_url: null, website: null, counterparties: [] }

/** The fields that a test sets. An absent or undefined field stays as it is. */
type Particulars = { [Key in keyof Modification]?: Modification[Key] | undefined }

/** Setting one of the two currency fields clears the other: Plaid never sets both. */
function withChanges(transaction: Transaction, changes: Particulars): Transaction {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  const unofficial = typeof changes.unofficial_currency_code === 'string' ? { iso_currency_code: null } : {}
  const official = typeof changes.iso_currency_code === 'string' ? { unofficial_currency_code: null } : {}
  return { ...transaction, ...unofficial, ...official, ...given }
}

function accountFor(item: Item, accountId: string | undefined): Account {
  const suited = accountsFor(item, accountId)
  return accountId === undefined ? pick(item.login.random, suited) : suited[0]
}

/** The named account, or without a name all that people spend from. Refuses if none of them is open. */
export function accountsFor(item: Item, accountId: string | undefined): [Account, ...Account[]] {
  const open = openAccountsOf(item).filter(({ type }) => type !== 'investment')
  const [first, ...more] = open.filter(({ account_id, type }) =>
    accountId === undefined ? type === 'depository' || type === 'credit' : account_id === accountId,
  )
  if (first !== undefined) return [first, ...more]
  const name = accountId === undefined ? 'for transactions' : item.bank.fromBank(accountId)
  throw refuse(404, `the item has no open account ${name}`)
}

/** Modifies this many chosen transactions (name and amount), or the given ones. Returns the ids. */
export function modifyTransactions(
  item: Item,
  wanted: Wanted<'modify'>,
  choose: (count: number) => Transaction[],
): string[] {
  const changes: readonly Modification[] =
    typeof wanted === 'number'
      ? choose(wanted).map(({ transaction_id, name }) => ({
          transaction_id,
          name: `${name} *`,
          amount: cents(between(item.login.random, 100, 20_000)),
        }))
      : wanted
  for (const change of changes) {
    const before = unbook(item.login.bank, change.transaction_id)
    if (before === undefined) continue
    book(item.login.bank, withChanges(before, change), otherSideOf(item.login.bank, change.transaction_id))
  }
  return changes.map(({ transaction_id }) => transaction_id)
}

/** Removes this many chosen transactions, or the given ones. Returns the ids. */
export function removeTransactions(
  item: Item,
  wanted: Wanted<'remove'>,
  choose: (count: number) => Transaction[],
): string[] {
  const ids = typeof wanted === 'number' ? choose(wanted).map(({ transaction_id }) => transaction_id) : wanted
  for (const transactionId of ids) unbook(item.login.bank, transactionId)
  return ids
}

/**
 * Posts pending transactions: all, the oldest so many, or the given ones. A posted one has a new id; the pending one is
 * removed.
 */
export function postPending(world: World, item: Item, wanted: Wanted<'post_pending'>): Posted[] {
  const options: PostPending = typeof wanted === 'object' ? wanted : {}
  const { bank, random, ids } = item.login
  const named = ({ transaction_id }: Transaction): boolean => options.transaction_ids?.includes(transaction_id) ?? true
  const pending = bank.transactions.filter(
    (transaction) => transaction.pending && item.bank.shares(transaction.account_id) && named(transaction),
  )
  const chosen = typeof wanted === 'number' ? pending.slice(0, wanted) : pending
  return chosen.map((before) => {
    const cleared = postedFrom(before, {
      random,
      ids,
      link: options.link ?? true,
      today: world.clock.today(),
    })
    const { amount, name, date } = options
    const posted = withChanges(cleared, { amount, name, date })
    unbook(bank, before.transaction_id)
    book(bank, posted, otherSideOf(bank, before.transaction_id))
    return { pending_transaction_id: before.transaction_id, transaction_id: posted.transaction_id }
  })
}

interface Posted {
  pending_transaction_id: string
  transaction_id: string
}
