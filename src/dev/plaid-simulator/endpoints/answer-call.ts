// Handles one API call: body, credentials, faults, rate limits, endpoint, call record.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { mutateMidPagination } from '../items/mutation.ts'
import { isMidUpdate } from '../items/sync-page.ts'
import { isRecord, parseExact } from '../lib/exact-json.ts'
import { type ErrorCode, failure, PlaidFailure } from '../lib/failure.ts'
import { altered } from '../state/alterations.ts'
import { type Fault, faultError, takeFault } from '../state/faults.ts'
import type { CallRecord, World } from '../state/world.ts'
import { type Answered, type Endpoint, itemIdOf } from './endpoint.ts'

export type NodeContext = Context<{ Bindings: HttpBindings }>

/**
 * Responds to one call. Never throws: an error that is not a PlaidFailure is logged and becomes INTERNAL_SERVER_ERROR.
 */
export async function answer(context: NodeContext, world: World, endpoint: Endpoint): Promise<Response> {
  const started = performance.now()
  const record: CallRecord = {
    endpoint: endpoint.path,
    item_id: null,
    status: null,
    error_code: null,
    request_id: world.ids.request(),
    time: world.clock.timestamp(),
    duration_ms: 0,
  }
  world.calls.push(record)
  const outcome = await attempt(context, world, endpoint, (itemId) => {
    record.item_id = itemId
  })
  record.duration_ms = Math.round(performance.now() - started)
  if (outcome === 'cut') {
    context.env.incoming.socket.destroy()
    return new Response(null, { status: 500 })
  }
  record.status = outcome.status
  if ('text' in outcome) {
    return new Response(outcome.text, { status: outcome.status, headers: { 'content-type': 'text/html' } })
  }
  record.error_code = outcome.status < 300 ? null : String(outcome.body['error_code'])
  const { status, body } = altered(world.alterations, endpoint.path, {
    status: outcome.status,
    body: { ...outcome.body, request_id: record.request_id },
  })
  record.status = status
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'plaid-request-id': record.request_id },
  })
}

type Outcome = Answered | { status: number; text: string } | 'cut'

async function attempt(
  context: NodeContext,
  world: World,
  endpoint: Endpoint,
  concerns: (itemId: string | null) => void,
): Promise<Outcome> {
  try {
    const body = bodyOf(await context.req.text())
    checkCredentials(world, context, body)
    const { access_token: token } = body
    const itemId = typeof token === 'string' ? itemIdOf(world, token) : null
    concerns(itemId)
    const fault = faultFor(world, endpoint.path, body, itemId)
    if (fault !== null && fault.latencyMs > 0) await pause(world, fault.latencyMs)
    if (fault?.hang === 'before') return await hang(context, world)
    if (fault?.drop === 'before') return 'cut'
    if (fault?.text != null) return { status: fault.status ?? 200, text: fault.text }
    const error = fault === null ? null : faultError(fault)
    if (error !== null) throw error
    if (!world.limits.admit(endpoint.path, itemId, world.clock.nowMs())) throw failure(limitCode(endpoint.path))
    noteCall(world, endpoint.path, body)
    const result = await endpoint.run(world, body)
    const { item_id: named } = result.body
    if (itemId === null && typeof named === 'string') concerns(named)
    if (fault?.hang === 'after') return await hang(context, world)
    return fault?.drop === 'after' ? 'cut' : result
  } catch (error) {
    if (error instanceof PlaidFailure) return { status: error.status, body: error.body }
    world.settings.log(
      `${endpoint.path} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
    const internal = failure('INTERNAL_SERVER_ERROR')
    return { status: internal.status, body: internal.body }
  }
}

/** Calls without an effect that a later call could see. */
const reads = new Set([
  '/accounts/balance/get',
  '/accounts/get',
  '/institutions/get',
  '/institutions/get_by_id',
  '/institutions/search',
  '/item/get',
  '/link/token/get',
  '/user/items/get',
  '/webhook_verification_key/get',
])

function noteCall(world: World, path: string, body: Record<string, unknown>): void {
  if (reads.has(path)) return
  const { client_id: _id, secret: _secret, ...rest } = body
  world.journal.note({ op: 'endpoint', path, body: JSON.stringify(rest) })
}

function bodyOf(text: string): Record<string, unknown> {
  try {
    const parsed = parseExact(text)
    if (isRecord(parsed)) return parsed
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw failure('INVALID_BODY')
}

function checkCredentials(world: World, context: NodeContext, body: Record<string, unknown>): void {
  const clientId = body['client_id'] ?? context.req.header('plaid-client-id')
  const secret = body['secret'] ?? context.req.header('plaid-secret')
  const missing = [...(clientId === undefined ? ['client_id'] : []), ...(secret === undefined ? ['secret'] : [])]
  if (missing.length > 0) throw failure('MISSING_FIELDS', `missing fields: ${missing.join(', ')}`)
  const isActive = typeof secret === 'string' && world.client.secrets.includes(secret)
  if (clientId !== world.settings.clientId || !isActive) throw failure('INVALID_API_KEYS')
}

function faultFor(world: World, path: string, body: Record<string, unknown>, itemId: string | null): Fault | null {
  const cursor = body['cursor']
  const midPagination = itemId !== null && typeof cursor === 'string' && isMidUpdate(cursor, itemId)
  const fault = takeFault(world.faults, path, midPagination)
  if (fault?.mutateDuringPagination === true && itemId !== null) {
    world.journal.note({ op: 'mutation', item_id: itemId })
    mutateMidPagination(world, itemId)
  }
  return fault
}

async function pause(world: World, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = setTimeout(resolve, ms)
    world.timers.signal.addEventListener('abort', () => {
      clearTimeout(end)
      resolve()
    })
  })
}

/** Waits until the caller disconnects or the simulator stops. */
async function hang(context: NodeContext, world: World): Promise<'cut'> {
  const { socket } = context.env.incoming
  const { promise, resolve } = Promise.withResolvers<void>()
  const { signal } = world.timers
  socket.once('close', () => resolve())
  signal.addEventListener('abort', () => resolve(), { once: true })
  if (signal.aborted || socket.destroyed) resolve()
  await promise
  return 'cut'
}

const limitCodes: Readonly<Record<string, ErrorCode>> = {
  '/accounts/get': 'ACCOUNTS_LIMIT',
  '/accounts/balance/get': 'BALANCE_LIMIT',
  '/auth/get': 'AUTH_LIMIT',
  '/identity/get': 'IDENTITY_LIMIT',
  '/institutions/get': 'INSTITUTIONS_GET_LIMIT',
  '/institutions/get_by_id': 'INSTITUTIONS_GET_BY_ID_LIMIT',
  '/investments/holdings/get': 'INVESTMENT_HOLDINGS_GET_LIMIT',
  '/investments/transactions/get': 'INVESTMENT_TRANSACTIONS_LIMIT',
  '/item/get': 'ITEM_GET_LIMIT',
  '/transactions/get': 'TRANSACTIONS_LIMIT',
  '/transactions/refresh': 'TRANSACTIONS_REFRESH_LIMIT',
  '/transactions/sync': 'TRANSACTIONS_SYNC_LIMIT',
}

function limitCode(path: string): ErrorCode {
  return limitCodes[path] ?? 'RATE_LIMIT'
}
