// An item: one login at one institution for one application, with its state at Plaid.
import type { Institution, Product } from '../bank/institutions.ts'
import type { Account, Transaction } from '../bank/model.ts'
import type { Day } from '../bank/values.ts'
import { type ErrorBody, type ErrorCode, failure } from '../lib/failure.ts'
import type { ChangeLog } from './change-log.ts'
import type { Login } from './login.ts'
import type { HiddenFromItem, SeenBank } from './seen-bank.ts'

export type HistoryStep = 'NOT_READY' | 'INITIAL_UPDATE_COMPLETE' | 'HISTORICAL_UPDATE_COMPLETE'

/** Streams by id, the whole stream as JSON. */
export type KnownStreams = ReadonlyMap<string, { accountId: string; text: string }>

/** State of the transactions product, once it is initialised. */
export interface TransactionsState {
  changeLog: ChangeLog
  step: HistoryStep
  /** The oldest day that Plaid requested from the bank; fixed at the initialisation. */
  windowStart: Day
  /** The oldest day that the initial update pulled. */
  initialStart: Day
  /** Whether /transactions/sync was ever called. SYNC_UPDATES_AVAILABLE is sent only then. */
  hasUsedSync: boolean
  /** The recurring streams at the last read; null until the first request for streams. */
  streams: KnownStreams | null
  lastSuccessfulUpdate: string | null
  lastFailedUpdate: string | null
}

/** State of the investments product. Its first read can run in the background. */
export interface InvestmentsState {
  step: 'extracting' | 'ready'
  lastSuccessfulUpdate: string | null
}

export type ItemStatus = 'unexchanged' | 'good' | 'login_required' | 'revoked' | 'removed'

export interface Item {
  readonly itemId: string
  readonly institution: Institution
  readonly username: string
  readonly userId: string
  /** Whether the link token named the `user_id`. Only then does the item belong to the user. */
  readonly linkedWithUserId: boolean
  readonly createdAt: string
  /** Null until the public token is exchanged, and after the token is invalidated. */
  accessToken: string | null
  status: ItemStatus
  error: ErrorBody | null
  /** Products that the item does not have for now, and the errors of their endpoints. */
  readonly absent: Map<Product, ErrorCode>
  /** The billed products, in the order in which they were added. */
  products: Product[]
  webhook: string | null
  lastWebhook: { sent_at: string; code_sent: string } | null
  consentExpirationTime: string | null
  /** The bank, which other items can share. */
  readonly login: Login
  /** The bank as this item sees it. */
  readonly bank: SeenBank
  readonly hidden: HiddenFromItem
  /** From the link token; applies if the product is initialised later. */
  readonly daysRequested: number | null
  /** The earliest date that the sandbox call set, or null. */
  readonly startDate: Day | null
  transactions: TransactionsState | null
  /** Null until the first request for investments. */
  investments: InvestmentsState | null
}

/** The item in Plaid's shape. */
export function itemView(item: Item) {
  const had = item.products.filter((product) => !item.absent.has(product))
  const others = item.institution.products.filter((product) => !item.products.includes(product))
  const needsConsent = (product: Product): boolean => item.absent.get(product) === 'ADDITIONAL_CONSENT_REQUIRED'
  const supported = item.institution.products.filter((product) => !item.absent.has(product) || needsConsent(product))
  return {
    available_products: others.filter((product) => supported.includes(product)),
    billed_products: had,
    products: had,
    consented_products: supported.filter((product) => product !== 'balance' && !needsConsent(product)),
    consent_expiration_time: item.consentExpirationTime,
    error: item.error,
    institution_id: item.institution.id,
    institution_name: item.institution.name,
    item_id: item.itemId,
    update_type: 'background',
    webhook: item.webhook,
    auth_method: item.products.includes('auth') ? 'INSTANT_AUTH' : null,
  }
}

/** Open accounts, oldest first. */
export function openAccounts({ bank }: Item): Account[] {
  return bank.accounts().filter(({ account_id }) => !bank.isClosed(account_id))
}

/** The open accounts, or the requested ones. Fails with INVALID_ACCOUNT_ID for one that is not open. */
export function chosenAccounts(item: Item, accountIds: readonly string[] | undefined): Account[] {
  const open = openAccounts(item)
  if (accountIds === undefined) return open
  const unknown = accountIds.find((id) => !open.some(({ account_id }) => account_id === id))
  if (unknown !== undefined) throw failure('INVALID_ACCOUNT_ID')
  return open.filter(({ account_id }) => accountIds.includes(account_id))
}

/** A transaction as endpoints return it: with the bank's original description only on request. */
export function transactionView(transaction: Transaction, includeOriginalDescription: boolean): Transaction {
  return includeOriginalDescription ? transaction : { ...transaction, original_description: null }
}
