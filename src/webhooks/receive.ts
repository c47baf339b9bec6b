// Receives a webhook: verifies it, records it and marks products dirty in one transaction, enqueues them, and then
// responds 200. Crash-safe: Plaid sends it again, or the sweep finds the dirty products.
import type { AuditAction } from '../audit/actions.ts'
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { fromUtf8 } from '../crypto/encoding.ts'
import { AppError } from '../errors.ts'
import { sqlState, sqlStateOf } from '../db/core/sql-state.ts'
import {
  type EventAudit,
  findItemOf,
  isRecorded,
  type Recorded,
  recordEvent,
  type WebhookEvent,
} from '../db/operations/webhook-events.ts'
import { tokenDigest } from '../custody/link-token.ts'
import type { LogFields } from '../monitoring/logger.ts'
import { observeOperations } from '../monitoring/operation.ts'
import { redactValue } from '../monitoring/redact.ts'
import { createOperationTotals } from '../monitoring/operation-totals.ts'
import { networkOf } from '../ratelimit/address.ts'
import { effectOf, type WebhookBody, webhookBody, type WebhookEffect } from './events.ts'
import { type FindKey, refusalError, verifyWebhook, type WebhookRequest } from './verify.ts'

/**
 * Processes one delivery. Resolves when the response may be 200.
 * @throws AppError `webhook_refused` (401, for every reason), `webhook_unverified` or `unavailable` (503: Plaid sends
 * again)
 */
export async function receiveWebhook(ctx: Ctx, request: WebhookRequest): Promise<void> {
  const startedAtMs = Date.now()
  const totals = createOperationTotals()
  const event = await observeOperations([totals.observe], () => receive(ctx, request))
  ctx.services.metrics.count('wn_webhooks_total', { outcome: event.outcome })
  ctx.log.info('webhook', { ...event, duration_ms: Date.now() - startedAtMs, ...totals.fields() })
}

/** What the event of a delivery shows. */
interface Received extends LogFields {
  readonly outcome: 'accepted' | 'replay' | 'unmatched'
}

async function receive(ctx: Ctx, request: WebhookRequest): Promise<Received> {
  const { findWebhookKey, recentWebhooks, config } = ctx.services
  const now = ctx.now()
  const network = ctx.client === undefined ? '' : networkOf(ctx.client)
  const findKey: FindKey = (kid, at) => findWebhookKey(kid, at, network)
  const verdict = await verifyWebhook(request, { findKey, hmacSecrets: config.webhookSharedKeys, now })
  if (!verdict.ok) {
    ctx.services.metrics.count('wn_webhook_refusals_total', { reason: verdict.reason })
    ctx.log.warn('webhook_refused', { reason: verdict.reason, bytes: request.body.length })
    throw refusalError(verdict.reason)
  }
  const { replayKey, scheme } = verdict
  let event: Received = { outcome: 'replay', replay: true }
  try {
    await recentWebhooks.once(replayKey, now.getTime(), async () => {
      if (!(await isExcessCopy(ctx, replayKey)))
        event = await processDelivery(ctx, parseBody(request.body), { replayKey, scheme })
    })
  } catch (error) {
    // A freeze refuses webhooks on purpose.
    if (!(error instanceof AppError && error.code === 'frozen'))
      ctx.services.metrics.count('wn_webhooks_total', { outcome: 'failed' })
    throw error
  }
  return { ...event, scheme }
}

function outcomeOf({ isReplay, isUnmatched }: Recorded): Received['outcome'] {
  if (isReplay) return 'replay'
  return isUnmatched ? 'unmatched' : 'accepted'
}

/**
 * Whether the delivery is a copy from an address that sent too many copies. Queries the database only while the address
 * is over its limit. A first delivery is never ignored.
 */
async function isExcessCopy({ services, client }: Ctx, replayKey: string): Promise<boolean> {
  const { limiter, jobs } = services
  if (limiter === null || client === undefined) return false
  return limiter.isRefused(limiter.policies.ofRepeatedWebhook(client)) && (await isRecorded(jobs, replayKey))
}

async function countCopy({ services, client }: Ctx): Promise<void> {
  const { limiter } = services
  if (limiter !== null && client !== undefined) await limiter.check(limiter.policies.ofRepeatedWebhook(client))
}

async function processDelivery(
  ctx: Ctx,
  body: WebhookBody,
  delivery: Pick<WebhookEvent, 'replayKey' | 'scheme'>,
): Promise<Received> {
  const { enqueue } = ctx.services
  const event: WebhookEvent = {
    ...delivery,
    type: body.webhook_type,
    code: body.webhook_code,
    plaidItemId: body.item_id ?? null,
    linkTokenDigest: await linkTokenDigest(body),
    payload: storable(body),
  }
  const recorded = await recordOnce(ctx, event, effectOf(body, ctx.now()))
  if (recorded.isReplay) await countCopy(ctx)
  await enqueue(recorded.itemProductIds, 'webhook')
  const { watched } = recorded
  // Which item it is, the change feed says.
  if (watched !== null) await ctx.services.live?.notify(watched.userId, { seq: watched.seq, items: [] })
  if (recorded.linkSessionId !== null) await ctx.services.enqueueLinkSessions([recorded.linkSessionId])
  return {
    webhook_type: body.webhook_type,
    webhook_code: body.webhook_code,
    outcome: outcomeOf(recorded),
    plaid_item_id: body.item_id ?? null,
    replay: recorded.isReplay,
    unmatched: recorded.isUnmatched,
    queued: recorded.itemProductIds.length,
  }
}

/** Attempts while the item is being linked or removed. After the last one, Plaid sends the webhook again. */
const attempts = 3

/** Records the event, with a row of the audit trail where it changes an item. */
async function recordOnce(
  ctx: Ctx,
  event: WebhookEvent,
  { products, update, action }: WebhookEffect,
): Promise<Recorded> {
  const { jobs } = ctx.services
  if (action === undefined || event.plaidItemId === null) return await recordEvent(jobs, event, products, update)
  for (let attempt = 1; ; attempt += 1)
    try {
      const row = await auditOf(ctx, event, event.plaidItemId, action)
      return await recordEvent(jobs, event, products, update, row)
    } catch (error) {
      if (sqlStateOf(error) !== sqlState.itemMoved || attempt === attempts) throw error
    }
}

/** Null where no item is known: the event then changes none. */
async function auditOf(
  ctx: Ctx,
  { type, code }: WebhookEvent,
  plaidItemId: string,
  action: AuditAction,
): Promise<EventAudit> {
  const target = await findItemOf(ctx.services.jobs, plaidItemId)
  if (target === null) return null
  const actor = { kind: 'webhook', name: `${type} ${code}` } as const
  return await audit({ ...ctx, actor }, { action, target, owner: { itemId: target } })
}

/** The digest of a Link webhook's link token. The webhook's public tokens are not used; they are read from Plaid. */
async function linkTokenDigest(body: WebhookBody): Promise<string | null> {
  return body.webhook_type === 'LINK' && body.link_token ? await tokenDigest(body.link_token) : null
}

/** A signed body that is not a JSON object is a webhook without fields. */
function parseBody(bytes: Uint8Array): WebhookBody {
  return webhookBody.parse(membersOf(parsedJson(fromUtf8(bytes) ?? '')))
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // RangeError: nested deeper than the stack.
    if (error instanceof SyntaxError || error instanceof RangeError) return null
    throw error
  }
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? {}
    : Object.fromEntries(
        Object.entries(value).map(([name, member]: [string, unknown]) => [storableText(name), storableValue(member)]),
      )

/** PostgreSQL stores neither NUL nor unpaired surrogates. */
const storableText = (text: string): string => text.replaceAll('\0', '').toWellFormed()
const storableValue = (value: unknown): unknown => (typeof value === 'string' ? storableText(value) : value)

/** The body as it is stored: without fields whose name contains `token`, and bounded (src/monitoring/redact.ts). */
function storable(body: WebhookBody): Record<string, unknown> {
  const kept = JSON.stringify(redactValue(body), (name, value: unknown) =>
    /token/i.test(name) ? '[redacted]' : storableMembers(value),
  )
  return membersOf(JSON.parse(kept))
}

const storableMembers = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? membersOf(value) : storableValue(value)
