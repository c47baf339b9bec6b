// Step 7: another authenticated user can neither see nor change any of the data.
import * as z from 'zod'
import type { Api } from '../../lib/api-client.ts'
import { check, type Difference } from '../compare.ts'
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'

const lists = [
  '/plaid/items',
  '/plaid/sync/runs',
  '/accounts',
  '/transactions',
  '/holdings',
  '/investments/transactions',
  '/liabilities',
]

/** Every list must be empty and every id unknown, and the attempts must change nothing for the owner. */
export async function secondUser(demo: Demo, linked: Linked): Promise<Finding> {
  const stranger = await demo.apiFor('second user')
  const requests = await requestsFor(linked)
  const differences = [
    ...(await Promise.all(lists.map((path) => emptiness(stranger, path)))).flat(),
    ...(await Promise.all(requests.map((request) => refusal(stranger, request)))).flat(),
  ]
  const summary = `${lists.length} lists are empty and ${requests.length} requests by id are 404 for another user`
  const finding = await settle(demo, linked, summary)
  return { ...finding, differences: [...differences, ...finding.differences] }
}

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: string
}

/** All requests with an id of the owner's data. */
async function requestsFor({ api, itemId }: Linked): Promise<Request[]> {
  const { accounts, transactions } = await api.lists()
  const accountId = accounts[0]?.id ?? ''
  const transactionId = transactions[0]?.id ?? ''
  return [
    { method: 'GET', path: `/plaid/items/${itemId}` },
    { method: 'POST', path: `/plaid/items/${itemId}/repaired` },
    { method: 'POST', path: `/plaid/sync/item/${itemId}` },
    { method: 'POST', path: '/plaid/link/token/create', body: JSON.stringify({ item_id: itemId }) },
    { method: 'DELETE', path: `/plaid/items/${itemId}` },
    { method: 'GET', path: `/accounts/${accountId}` },
    { method: 'GET', path: `/accounts/${accountId}/balances` },
    { method: 'GET', path: `/transactions/${transactionId}` },
    { method: 'PATCH', path: `/transactions/${transactionId}`, body: JSON.stringify({ note: 'mine now' }) },
  ]
}

async function emptiness({ send }: Api, path: string): Promise<Difference[]> {
  const { status, text } = await send('GET', path)
  const rows = status === 200 ? z.object({ data: z.array(z.unknown()) }).parse(JSON.parse(text)).data.length : null
  return check('second user', `GET ${path}`, { status: 200, rows: 0 }, { status, rows })
}

async function refusal({ send }: Api, { method, path, body }: Request): Promise<Difference[]> {
  const { status } = await send(method, path, body)
  return check('second user', `${method} ${path}`, 404, status)
}
