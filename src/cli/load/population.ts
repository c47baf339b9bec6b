// Users with one linked bank each, synced through the Worker, and the requests that they send.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { signToken } from '../../dev/lib/sign-token.ts'
import { inLanes } from '../bench/workerd-load.ts'
import type { Shot } from './generator.ts'
import { clientId, type LocalStack, originOf } from './local-stack.ts'

export interface Member {
  readonly headers: Readonly<Record<string, string>>
  readonly itemId: string
  readonly plaidItemId: string
}

/** Lists and insights, as an app shows them. */
export const readPaths = [
  '/api/v1/transactions?limit=100',
  '/api/v1/accounts',
  '/api/v1/holdings',
  '/api/v1/transactions/recurring',
  '/api/v1/insights/spending',
  '/api/v1/insights/cash-flow',
  '/api/v1/insights/net-worth',
  '/api/v1/plaid/items',
] as const

const institution = 'ins_109508'
/** More than a read of 100 returns. */
const transactionsEach = 250
const readyTimeoutMs = 300_000
const pollMs = 100
/** Links at the same time. */
const lanes = 4

export async function post(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`POST ${new URL(url).pathname} returned ${response.status}: ${text.slice(0, 500)}`)
  return text === '' ? null : JSON.parse(text)
}

/** The headers of a user's request. Each comes from another address. */
export async function headersOf(secretKey: string, number: number): Promise<Record<string, string>> {
  const token = await signToken({ secret: secretKey, subject: `load ${number}`, ttlSeconds: 12 * 3600 })
  return { authorization: `Bearer ${token}`, 'cf-connecting-ip': `203.0.113.${number}` }
}

async function link(stack: LocalStack, number: number): Promise<Member> {
  const { bank, plaidSecret, secretKey, worker } = stack
  const made = await post(
    `${bank.url}/sandbox/public_token/create`,
    {},
    {
      client_id: clientId,
      secret: plaidSecret,
      institution_id: institution,
      initial_products: ['transactions', 'investments', 'liabilities'],
    },
  )
  const { public_token } = z.object({ public_token: z.string() }).parse(made)
  const headers = await headersOf(secretKey, number)
  const exchanged = await post(`${originOf(worker)}/api/v1/plaid/item/public_token/exchange`, headers, { public_token })
  const { id, plaid_item_id } = z.object({ id: z.string(), plaid_item_id: z.string() }).parse(exchanged)
  await post(`${bank.url}/simulator/items/${plaid_item_id}/bank`, {}, { add: transactionsEach, silent: true })
  return { headers, itemId: id, plaidItemId: plaid_item_id }
}

const behindQuery = `select count(*)::int as n from item_products
  where dirty_seq > synced_seq or lease_owner is not null or status = 'pending'`

/** Products with changes that were not read, or that are being read. */
export async function productsBehind({ owner }: LocalStack): Promise<number> {
  const { rows } = await owner.query(behindQuery)
  return z.tuple([z.object({ n: z.number() })]).parse(rows)[0].n
}

/** Resolves when the queue is empty. */
export async function whenIdle(stack: LocalStack, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)])
  await stack.deliveries.settled(limit)
  await stack.queue.idle(limit)
}

/** Links a bank for each user and waits until all products are read. */
export async function populate(stack: LocalStack, users: number, signal: AbortSignal): Promise<readonly Member[]> {
  stack.deliveries.forwardTo(originOf(stack.worker))
  const members: Member[] = []
  const numbers = Array.from({ length: users }, (_, index) => index + 1)
  await inLanes(lanes, numbers, async (number) => {
    signal.throwIfAborted()
    members.push(await link(stack, number))
  })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)])
  for (const { itemId, headers } of members)
    await fetch(`${originOf(stack.worker)}/api/v1/plaid/sync/item/${itemId}`, { method: 'POST', headers })
  await whenIdle(stack, signal)
  while ((await productsBehind(stack)) > 0) {
    await delay(pollMs, undefined, { signal: limit })
    await whenIdle(stack, signal)
  }
  stack.deliveries.forwardTo(null)
  return members
}

/** Each path for each user, the users in turn. */
export const readsOf = (users: readonly { readonly headers: Readonly<Record<string, string>> }[]): Shot[] =>
  readPaths.flatMap((path) => users.map(({ headers }) => ({ path, headers })))
