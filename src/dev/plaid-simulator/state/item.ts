// An item: one login at one institution as one application knows it, with what Plaid knows of it.
import type { Institution, Product } from '../bank/institutions.ts'
import type { Account, Transaction } from '../bank/model.ts'
import type { Day } from '../bank/values.ts'
import { type ErrorBody, type ErrorCode, failure } from '../lib/failure.ts'
import type { Ledger } from './change-log.ts'
import type { Login } from './login.ts'
import type { Blinds, SeenBank } from './seen-bank.ts'

export type HistoryStep = 'NOT_READY' | 'INITIAL_UPDATE_COMPLETE' | 'HISTORICAL_UPDATE_COMPLETE'

/** Streams by id, the whole stream as JSON. */
export type KnownStreams = ReadonlyMap<string, { accountId: string; text: string }>

/** Of the transactions product, once it was initialised. */
export interface TransactionsState {
  ledger: Ledger
  step: HistoryStep
  /** The oldest day that Plaid asked the bank for: fixed at the initialisation. */
  windowStart: Day
  /** The oldest day that the initial update pulled. */
  initialStart: Day
  /** Whether /transactions/sync was ever called: only then SYNC_UPDATES_AVAILABLE is sent. */
  armed: boolean
  /** The recurring streams at the last look; null until the first request for streams. */
  streams: KnownStreams | null
  lastSuccessfulUpdate: string | null
  lastFailedUpdate: string | null
}

/** Of the investments product: a first read may take its time in the background. */
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
  /** Whether the link session named the `user_id`: only then the item is among the user's. */
  readonly linkedWithUserId: boolean
  readonly createdAt: string
  /** Null until the public token was exchanged, and again when the token died. */
  accessToken: string | null
  status: ItemStatus
  error: ErrorBody | null
  /** Products that the item does not have for now, and what their endpoints answer. */
  readonly absent: Map<Product, ErrorCode>
  /** What it bills for, in the order in which it was added. */
  products: Product[]
  webhook: string | null
  lastWebhook: { sent_at: string; code_sent: string } | null
  consentExpirationTime: string | null
  /** The bank itself, which other items may share. */
  readonly login: Login
  /** The bank as this item sees it. */
  readonly bank: SeenBank
  readonly blinds: Blinds
  /** Asked for when the item was made; counts if the product is initialised later. */
  readonly daysRequested: number | null
  /** The sandbox's own earliest date, or null. */
  readonly startDate: Day | null
  transactions: TransactionsState | null
  /** Null until the first request for investments. */
  investments: InvestmentsState | null
}

/** The item of an answer, in Plaid's shape. */
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

/** The open accounts, or those asked for. Fails with INVALID_ACCOUNT_ID for one that is not open. */
export function chosenAccounts(item: Item, accountIds: readonly string[] | undefined): Account[] {
  const open = openAccounts(item)
  if (accountIds === undefined) return open
  const unknown = accountIds.find((id) => !open.some(({ account_id }) => account_id === id))
  if (unknown !== undefined) throw failure('INVALID_ACCOUNT_ID')
  return open.filter(({ account_id }) => accountIds.includes(account_id))
}

/** A transaction as endpoints give it: the bank's own text only on request. */
export function transactionView(transaction: Transaction, includeOriginalDescription: boolean): Transaction {
  return includeOriginalDescription ? transaction : { ...transaction, original_description: null }
}
