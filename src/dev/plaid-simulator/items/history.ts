// How an item's transactions reach Plaid: an initial pull, a historical pull, then each change at the bank.
import { addDays } from '../bank/calendar.ts'
import type { Transaction } from '../bank/model.ts'
import { openChangeLog } from '../state/change-log.ts'
import type { HistoryStep, Item, TransactionsState } from '../state/item.ts'
import type { Login } from '../state/login.ts'
import type { World } from '../state/world.ts'
import { syncUpdatesAvailable, transactionsRemoved, transactionsUpdate, type WebhookBody } from '../webhooks/events.ts'
import { sendWebhooks } from '../webhooks/send.ts'
import { livingItems } from './logins.ts'
import { streamWebhooks } from './streams.ts'

/** Plaid's default for `days_requested`. */
export const defaultDaysRequested = 90
/** How far back the initial update reaches. */
const initialDays = 30

/** What a pull changed in the change log, by transaction id. */
export interface Pulled {
  added: string[]
  modified: string[]
  removed: string[]
}

/** Adds the transactions product: fixes the window and starts the history. Does nothing if the item already has it. */
export function initialiseTransactions(world: World, item: Item, daysRequested: number | null): TransactionsState {
  if (item.transactions !== null) return item.transactions
  const today = world.clock.today()
  item.transactions = {
    changeLog: openChangeLog(),
    step: 'NOT_READY',
    windowStart: item.startDate ?? addDays(today, -(daysRequested ?? defaultDaysRequested)),
    initialStart: addDays(today, -initialDays),
    hasUsedSync: false,
    streams: null,
    lastSuccessfulUpdate: null,
    lastFailedUpdate: null,
  }
  if (!item.products.includes('transactions')) item.products.push('transactions')
  scheduleHistory(world, item)
  return item.transactions
}

/** Schedules the missing steps of the history, unless they are triggered manually by a control. */
export function scheduleHistory(world: World, item: Item): void {
  const delays = world.settings.historyDelayMs
  if (delays === 'manual' || world.replaying) return
  const reach = (name: 'initial' | 'historical', step: HistoryStep) => (): void => {
    world.journal.note({ op: 'step', item_id: item.itemId, step: name })
    sendWebhooks(world, item, reachStep(world, item, step))
  }
  world.timers.after(delays.initial, reach('initial', 'INITIAL_UPDATE_COMPLETE'))
  world.timers.after(delays.historical, reach('historical', 'HISTORICAL_UPDATE_COMPLETE'))
}

const steps: readonly HistoryStep[] = ['NOT_READY', 'INITIAL_UPDATE_COMPLETE', 'HISTORICAL_UPDATE_COMPLETE']

/**
 * Pulls up to this step, one step after the other. Returns the webhooks. A step that the item has passed does nothing.
 */
export function reachStep(world: World, item: Item, target: HistoryStep): WebhookBody[] {
  const state = item.transactions
  if (state === null || item.status !== 'good') return []
  const missing = steps.slice(steps.indexOf(state.step) + 1, steps.indexOf(target) + 1)
  return missing.flatMap((step) => {
    state.step = step
    const pulled = pull(world, item)
    const code = step === 'INITIAL_UPDATE_COMPLETE' ? 'INITIAL_UPDATE' : 'HISTORICAL_UPDATE'
    const legacy = transactionsUpdate(item, code, pulled.added.length)
    return [legacy, ...(state.hasUsedSync ? [syncUpdatesAvailable(item)] : []), ...streamWebhooks(world, item)]
  })
}

/** Updates the change log from the bank, as far as the history has arrived. Sends no webhook. */
export function pull(world: World, item: Item): Pulled {
  const pulled: Pulled = { added: [], modified: [], removed: [] }
  const state = item.transactions
  if (state !== null && item.status === 'login_required') state.lastFailedUpdate = world.clock.timestamp()
  if (state === null || item.status !== 'good' || state.step === 'NOT_READY') return pulled
  const oldest =
    state.step === 'INITIAL_UPDATE_COMPLETE' ? later(state.initialStart, state.windowStart) : state.windowStart
  const there = new Map<string, Transaction>()
  for (const transaction of heldTransactions(item)) {
    if (transaction.date >= oldest) there.set(transaction.transaction_id, transaction)
  }
  for (const transaction of there.values()) {
    const known = state.changeLog.current(transaction.transaction_id)
    if (known === transaction) continue
    state.changeLog.put(transaction)
    const kind = known === null ? 'added' : 'modified'
    pulled[kind].push(transaction.transaction_id)
  }
  for (const { transaction_id } of state.changeLog.all()) {
    if (there.has(transaction_id)) continue
    state.changeLog.remove(transaction_id)
    pulled.removed.push(transaction_id)
  }
  state.lastSuccessfulUpdate = world.clock.timestamp()
  return pulled
}

/** Reads the bank and returns the webhooks about what changed. */
export function pullChanges(world: World, item: Item): WebhookBody[] {
  const { added, modified, removed } = pull(world, item)
  const state = item.transactions
  if (state === null) return []
  const changed = added.length + modified.length + removed.length > 0
  return [
    ...(state.hasUsedSync && changed ? [syncUpdatesAvailable(item)] : []),
    ...(added.length > 0 ? [transactionsUpdate(item, 'DEFAULT_UPDATE', added.length)] : []),
    ...(removed.length > 0 ? [transactionsRemoved(item, removed)] : []),
    ...streamWebhooks(world, item),
  ]
}

/** Reads the bank for every item of the login and sends the webhooks about changes. */
export function pullLogin(world: World, login: Login): void {
  for (const item of livingItems(world, login)) sendWebhooks(world, item, pullChanges(world, item))
}

/** What Plaid would return in the end: all transactions in the window, at any step of the history. */
export function completeHistory(world: World, item: Item): Transaction[] {
  const start =
    item.transactions?.windowStart ??
    item.startDate ??
    addDays(world.clock.today(), -(item.daysRequested ?? defaultDaysRequested))
  return heldTransactions(item).filter(({ date }) => date >= start)
}

/** The bank's transactions in accounts that the product covers. Investment accounts have a separate endpoint. */
function heldTransactions({ bank }: Item): Transaction[] {
  const accounts = bank.accounts().filter(({ type }) => type !== 'investment')
  const covered = new Set(accounts.map(({ account_id }) => account_id))
  return bank.transactions().filter(({ account_id }) => covered.has(account_id))
}

function later(left: string, right: string): string {
  return left > right ? left : right
}
