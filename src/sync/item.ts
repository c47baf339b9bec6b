// Reads /item/get: the item's current state, independent of which webhooks arrived and in which order. Corrects the
// item's webhook URL.
import { type ReportedItem, type ItemLook, markProductsDirty, writeItem } from '../db/items/item-update.ts'
import { auditOfLoss } from './audit-of-loss.ts'
import { classify } from '../plaid/errors.ts'
import type { PlaidItem } from '../plaid/link-schemas.ts'
import { itemStatusFor } from './failure.ts'
import { type ItemCapabilities, unitsFor } from './products.ts'
import { recordResponse, type ReadResult, type Run, snapshotEnd } from './run.ts'

export async function readItem(run: Run): Promise<ReadResult> {
  const { plaid } = run
  const { config } = run.ctx.services
  const result = await plaid.getItem(run.token)
  recordResponse(run.stats, result)
  if (!result.ok) return { kind: 'failed', failure: result.failure }
  const { item } = result.value
  if (item.webhook !== config.plaid.webhookUrl) {
    const updated = await plaid.updateItemWebhook(run.token, config.plaid.webhookUrl)
    recordResponse(run.stats, updated)
    if (!updated.ok) return { kind: 'failed', failure: updated.failure }
  }
  const reported = reportedItem(result.value, unitsFor(config.plaid.products, item))
  return {
    kind: 'read',
    end: { ...snapshotEnd, showsHealth: false },
    statements: [writeItem(run.lease, reported, await auditOfLoss(run.ctx, run.lease, reported.trouble?.status))],
    setAside: null,
    markDirty: markProductsDirty(run.lease, reported),
  }
}

function reportedItem(answer: PlaidItem, products: readonly string[]): ReportedItem {
  const { item, status } = answer
  return {
    institutionId: item.institution_id,
    institutionName: item.institution_name,
    consentExpiresAt: item.consent_expiration_time,
    ...lookOf(answer),
    trouble: troubleOf(item.error),
    lastWebhook: lastWebhookOf(status?.last_webhook),
    products,
  }
}

/** The state that the next read is compared with, to find missed webhooks. */
export function lookOf({ item, status }: PlaidItem): ItemLook {
  return {
    transactionsUpdatedAt: status?.transactions?.last_successful_update ?? null,
    investmentsUpdatedAt: status?.investments?.last_successful_update ?? null,
    capabilities: capabilitiesOf(item),
  }
}

function lastWebhookOf(webhook: NonNullable<PlaidItem['status']>['last_webhook']): ReportedItem['lastWebhook'] {
  const [sentAt, code] = [webhook?.sent_at ?? null, webhook?.code_sent ?? null]
  return sentAt === null || code === null ? null : { sentAt, code }
}

/**
 * The status that an item's error implies. Errors caused by Plaid, by us, or by a temporary outage do not change it. An
 * unknown ITEM_ERROR requires a new login, which resolves most of them.
 */
function troubleOf(error: PlaidItem['item']['error']): ReportedItem['trouble'] {
  if (error === null) return null
  const failureClass = classify(error.error_type, error.error_code, 400)
  const status = failureClass === 'item_error' ? 'needs_update' : itemStatusFor(failureClass)
  return status === null ? null : { status, reason: error.error_code }
}

/** A canonical text, independent of the order of Plaid's lists. */
function capabilitiesOf({
  products,
  available_products: available,
  consented_products: consented,
}: ItemCapabilities): string {
  const sorted = (names: readonly string[] | null) => (names === null ? null : [...new Set(names)].toSorted())
  return JSON.stringify({ products: sorted(products), available: sorted(available), consented: sorted(consented) })
}
