// Calls that wait until the data of a new item are available, as this project's syncs do.
import { setTimeout as delay } from 'node:timers/promises'
import type * as z from 'zod'
import * as schemas from '../../../plaid/schemas.ts'
import { bodyOf, errorOf, type PlaidResponse, type PlaidTarget } from './target.ts'

const timeoutMs = 180_000
const pollMs = 1_000
export const sync = '/transactions/sync'
const complete = 'HISTORICAL_UPDATE_COMPLETE'

/** The first response that is not PRODUCT_NOT_READY. */
export async function callWhenReady(
  target: PlaidTarget,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<PlaidResponse> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const response = await target.call(path, body)
    if (!errorOf(response).endsWith('PRODUCT_NOT_READY') || performance.now() > deadline) return response
    await delay(pollMs)
  }
}

export type SyncPage = z.output<typeof schemas.transactionsSync>

export async function syncPage(target: PlaidTarget, body: Readonly<Record<string, unknown>>): Promise<SyncPage> {
  return schemas.transactionsSync.parse(bodyOf(sync, await target.call(sync, body)))
}

/** Waits until the item's whole history is available. */
export async function waitForHistory(target: PlaidTarget, accessToken: string): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const { transactions_update_status: status } = await syncPage(target, { access_token: accessToken, count: 1 })
    if (status === complete) return
    if (performance.now() > deadline) throw new Error(`the history is not there in time: ${status ?? 'no status'}`)
    await delay(pollMs)
  }
}

/** All pages from `cursor`. */
export async function syncAll(
  target: PlaidTarget,
  accessToken: string,
  cursor: string,
  count: number,
): Promise<SyncPage[]> {
  const pages: SyncPage[] = []
  let next = cursor
  for (;;) {
    const page = await syncPage(target, { access_token: accessToken, cursor: next, count })
    pages.push(page)
    if (!page.has_more) return pages
    next = page.next_cursor
  }
}

export function addedIds(pages: readonly SyncPage[]): string[] {
  return pages.flatMap(({ added }) => added.map(({ transaction_id: id }) => id))
}
