// /sandbox/item/* and /sandbox/transactions/create: what Plaid's sandbox can do to an existing item.
import * as z from 'zod'
import { addDays } from '../bank/calendar.ts'
import type { Product } from '../bank/institutions.ts'
import { book, inventTransaction } from '../bank/invent.ts'
import { pullLogin } from '../items/history.ts'
import { requireLogin } from '../items/login-status.ts'
import { exactNumber } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'
import { type Item, openAccounts } from '../state/item.ts'
import * as events from '../webhooks/events.ts'
import type { WebhookBody } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { accessToken, day, endpoint, itemOf, readableItem } from './endpoint.ts'

const fireable = [
  'DEFAULT_UPDATE',
  'NEW_ACCOUNTS_AVAILABLE',
  'SMS_MICRODEPOSITS_VERIFICATION',
  'AUTHORIZATION_GRANTED',
  'USER_PERMISSION_REVOKED',
  'USER_ACCOUNT_REVOKED',
  'PENDING_DISCONNECT',
  'RECURRING_TRANSACTIONS_UPDATE',
  'LOGIN_REPAIRED',
  'SYNC_UPDATES_AVAILABLE',
  'PRODUCT_READY',
  'ERROR',
] as const
const types = ['AUTH', 'HOLDINGS', 'INVESTMENTS_TRANSACTIONS', 'ITEM', 'LIABILITIES', 'TRANSACTIONS', 'ASSETS'] as const
type Fireable = (typeof fireable)[number]
type WebhookType = (typeof types)[number]

const fireWebhook = endpoint(
  '/sandbox/item/fire_webhook',
  { access_token: accessToken, webhook_type: z.enum(types).optional(), webhook_code: z.enum(fireable) },
  (world, body) => {
    const item = itemOf(world, body.access_token)
    if (item.webhook === null) throw failure('SANDBOX_WEBHOOK_INVALID')
    sendWebhooks(world, item, [firedBody(item, body.webhook_type, body.webhook_code)])
    return { webhook_fired: true }
  },
)

/** Only the webhook: the item does not change. */
function firedBody(item: Item, type: WebhookType | undefined, code: Fireable): WebhookBody {
  const accountIds = openAccounts(item).map(({ account_id }) => account_id)
  const inAWeek = new Date(Date.now() + 7 * 86_400_000).toISOString()
  switch (code) {
    case 'DEFAULT_UPDATE':
      return defaultUpdate(item, type ?? 'TRANSACTIONS', accountIds)
    case 'SYNC_UPDATES_AVAILABLE':
      return needing(item, 'transactions', events.syncUpdatesAvailable(item))
    case 'RECURRING_TRANSACTIONS_UPDATE':
      return needing(item, 'transactions', events.recurringTransactionsUpdate(item, accountIds))
    case 'NEW_ACCOUNTS_AVAILABLE':
    case 'LOGIN_REPAIRED':
      return events.itemEvent(item, code)
    case 'PENDING_DISCONNECT':
      return events.pendingDisconnect(item, 'INSTITUTION_MIGRATION', inAWeek)
    case 'USER_PERMISSION_REVOKED':
      return events.userPermissionRevoked(item)
    case 'USER_ACCOUNT_REVOKED':
      return events.userAccountRevoked(item, accountIds[0] ?? '')
    case 'ERROR':
    case 'PRODUCT_READY':
    case 'SMS_MICRODEPOSITS_VERIFICATION':
    case 'AUTHORIZATION_GRANTED':
      // Webhooks of products that the simulator does not have.
      throw failure('SANDBOX_PRODUCT_NOT_ENABLED')
  }
}

function defaultUpdate(item: Item, type: WebhookType, accountIds: readonly string[]): WebhookBody {
  switch (type) {
    case 'TRANSACTIONS':
      return needing(item, 'transactions', events.transactionsUpdate(item, 'DEFAULT_UPDATE', 0))
    case 'HOLDINGS':
      return needing(item, 'investments', events.holdingsUpdate(item, 0, item.bank.holdings().length))
    case 'INVESTMENTS_TRANSACTIONS':
      return needing(item, 'investments', events.investmentTransactionsUpdate(item, 'DEFAULT_UPDATE', 0))
    case 'LIABILITIES':
      return needing(item, 'liabilities', events.liabilitiesUpdate(item, {}))
    case 'AUTH':
      return needing(item, 'auth', events.authUpdate(item, accountIds))
    case 'ITEM':
    case 'ASSETS':
      throw failure('SANDBOX_PRODUCT_NOT_ENABLED')
  }
}

function needing(item: Item, product: Product, body: WebhookBody): WebhookBody {
  if (!item.products.includes(product)) throw failure('SANDBOX_PRODUCT_NOT_ENABLED')
  return body
}

const resetLogin = endpoint('/sandbox/item/reset_login', { access_token: accessToken }, (world, body) => {
  const item = itemOf(world, body.access_token)
  requireLogin(item)
  sendWebhooks(world, item, [events.itemError(item, 'ITEM_LOGIN_REQUIRED')])
  return { reset_login: true }
})

const created = z.looseObject({
  date_transacted: day,
  date_posted: day,
  amount: exactNumber,
  description: z.string().min(1),
  iso_currency_code: z.string().length(3).optional(),
})

/** How many transactions a call may create, and how many days back. */
const most = 10
const oldestDays = 14

const transactionsCreate = endpoint(
  '/sandbox/transactions/create',
  { access_token: accessToken, transactions: z.array(created).min(1).max(most) },
  (world, body) => {
    const item = readableItem(world, body.access_token)
    if (item.username !== 'user_transactions_dynamic') {
      throw failure('INVALID_FIELD', 'access_token: only items of user_transactions_dynamic take transactions')
    }
    const today = world.clock.today()
    const allowed = (date: string): boolean => date >= addDays(today, -oldestDays) && date <= today
    const bad = body.transactions.some(
      ({ date_transacted: from, date_posted: to }) => !allowed(from) || !allowed(to) || to < from,
    )
    if (bad)
      throw failure(
        'INVALID_FIELD',
        `dates must lie within the last ${oldestDays} days, the posting not before the purchase`,
      )
    const account = openAccounts(item).find(({ type }) => type === 'depository')
    if (account === undefined) throw failure('NO_ACCOUNTS')
    for (const wanted of body.transactions) enter(item, account.account_id, wanted)
    pullLogin(world, item.login)
    return {}
  },
)

function enter(item: Item, accountId: string, wanted: z.infer<typeof created>): void {
  const { bank, random, ids } = item.login
  const to = item.bank.toBank(accountId)
  const invented = inventTransaction({ bank, random, today: wanted.date_posted, ids, accountId: to })
  book(bank, {
    ...invented,
    amount: wanted.amount,
    authorized_date: wanted.date_transacted,
    name: wanted.description,
    original_description: wanted.description,
    ...(wanted.iso_currency_code !== undefined && {
      iso_currency_code: wanted.iso_currency_code,
      unofficial_currency_code: null,
    }),
  })
}

export const sandboxItemEndpoints = [fireWebhook, resetLogin, transactionsCreate]
