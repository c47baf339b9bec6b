// A webhook from its first byte to its 200: verified, recorded with its dirty marks in one transaction, woken, and only
// then answered. A death in between costs nothing: Plaid sends again, or the sweep finds the marks.
import type { Ctx } from '../context.ts'
import { fromUtf8 } from '../crypto/encoding.ts'
import { recordEvent } from '../db/webhook-events.ts'
import { AppError } from '../errors.ts'
import { tokenDigest } from '../link/tokens.ts'
import { redactValue } from '../monitoring/redact.ts'
import { meaningOf, type WebhookBody, webhookBody } from './events.ts'
import { refusalError, verifyWebhook, type WebhookRequest } from './verify.ts'

/**
 * Takes one delivery. Resolves when it may be answered 200.
 * @throws AppError `webhook_refused` (401, whatever was wrong), `unavailable` (503: send again), `bad_request` for a
 * body that is authentic and no webhook
 */
export async function receiveWebhook(ctx: Ctx, request: WebhookRequest): Promise<void> {
  const { findWebhookKey, config, jobs, wake } = ctx.services
  const now = ctx.now()
  const verdict = await verifyWebhook(request, { findKey: findWebhookKey, hmacSecret: config.webhookSharedKey, now })
  if (!verdict.ok) {
    ctx.log.warn('webhook_refused', { reason: verdict.reason, bytes: request.body.length })
    throw refusalError(verdict.reason)
  }
  const body = parseBody(request.body)
  const { products, notice } = meaningOf(body, now)
  const recorded = await recordEvent(
    jobs,
    {
      replayKey: verdict.replayKey,
      scheme: verdict.scheme,
      type: body.webhook_type,
      code: body.webhook_code,
      plaidItemId: body.item_id ?? null,
      linkTokenDigest: await linkTokenOf(body),
      payload: storable(body),
    },
    products,
    notice,
  )
  await wake(recorded.itemProductIds, 'webhook')
  if (recorded.linkSessionId !== null) await ctx.services.wakeLinkSessions([recorded.linkSessionId])
  ctx.log.info('webhook', {
    webhook_type: body.webhook_type,
    webhook_code: body.webhook_code,
    scheme: verdict.scheme,
    plaid_item_id: body.item_id ?? null,
    replay: recorded.isReplay,
    queued: recorded.itemProductIds.length,
  })
}

/** The digest of a Link webhook's link token. Its public tokens are not used: they are read from Plaid again. */
async function linkTokenOf(body: WebhookBody): Promise<string | null> {
  return body.webhook_type === 'LINK' && body.link_token ? await tokenDigest(body.link_token) : null
}

function parseBody(bytes: Uint8Array): WebhookBody {
  const text = fromUtf8(bytes)
  try {
    const parsed = webhookBody.safeParse(JSON.parse(text ?? '', plainText))
    if (parsed.success) return parsed.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new AppError('bad_request', 'The webhook body is not a JSON object with webhook_type and webhook_code.')
}

/** Text and names as Postgres can hold them: without NUL, and without the halves of surrogate pairs. */
const plain = (text: string): string => text.replaceAll('\0', '').toWellFormed()

function plainText(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return plain(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]: [string, unknown]) => [plain(name), member]))
}

/** The body as it is kept: without anything called a token. */
function storable(body: WebhookBody): Record<string, unknown> {
  return JSON.parse(JSON.stringify(redactValue(body)), (key, value: unknown) =>
    /token/i.test(key) ? '[redacted]' : value,
  ) as Record<string, unknown>
}
