// Writes the result of /item/get inside a sync's commit.
import { type SQL, sql } from 'drizzle-orm'
import { type AuditRow, recorded } from '../audit/record.ts'
import { timestamptz } from '../core/columns.ts'
import { rotatingMinutes } from './rotations.ts'
import { askedAgain, awaitsTransactions, isResting, type Lease, lost, stopped } from '../sync/work.ts'
import { command, idRow, query } from '../core/statement.ts'

/** The state that the next run compares with Plaid's. If it differs, products are read again. */
export interface ItemLook {
  /** When Plaid last read the bank's data successfully, by Plaid's clock. */
  readonly transactionsUpdatedAt: Date | null
  readonly investmentsUpdatedAt: Date | null
  /**
   * The products that Plaid lists for the item (enabled, available, consented) as one text. A change may end a refusal.
   */
  readonly capabilities: string
}

export interface ReportedItem extends ItemLook {
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly consentExpiresAt: Date | null
  /** The status for the item's error; null without an error. */
  readonly trouble: { readonly status: string; readonly reason: string } | null
  /** The last webhook that Plaid reports as sent. */
  readonly lastWebhook: { readonly sentAt: Date; readonly code: string } | null
  /** The products that it has or may get. */
  readonly products: readonly string[]
}

/** Plaid's first retries end within this time. A webhook that arrives later counts as missed, which is harmless. */
const webhookRetryTime = sql.raw(`interval '5 minutes'`)

/** Whether Plaid sent a webhook about the item that never arrived and was not counted as missed before. */
function missed(item: string, { lastWebhook }: ReportedItem) {
  if (lastWebhook === null) return sql`false`
  const i = sql.raw(item)
  const sentAt = timestamptz(lastWebhook.sentAt)
  return sql`(${sentAt} < now() - ${webhookRetryTime} and ${sentAt} > ${i}.created_at
    and ${sentAt} > coalesce(${i}.missed_webhook_at, '-infinity') and not exists (select 1 from webhook_events e
      where e.plaid_item_id = ${i}.plaid_item_id and e.webhook_code = ${lastWebhook.code}
        and e.received_at > ${sentAt} - interval '1 minute'))`
}

/**
 * Adds new products, and marks those dirty that a webhook should have named: Plaid has read the bank since, or the item
 * works again. Marks refused products dirty if Plaid now lists other products for the item than before. Returns their
 * ids. Must run before `writeItem`.
 */
export function markProductsDirty(lease: Lease, reported: ReportedItem) {
  return query(
    idRow,
    sql`with added as (
        insert into item_products (item_id, user_id, product)
        select ${lease.itemId}::uuid, ${lease.userId}::uuid, product
          from unnest(${sql.param(reported.products)}::text[]) as p(product)
        on conflict (item_id, product) do nothing returning id
      ), item as (select * from items where id = ${lease.itemId}),
      raised as (
        update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')} from item
        where p.item_id = item.id and p.product <> 'item' and (
          item.status in (${stopped}) and ${reported.trouble === null} or ${missed('item', reported)}
          or ${isResting('p')} and item.capabilities <> ${reported.capabilities}
          or p.product = 'transactions' and item.transactions_updated_at is distinct
            from ${timestamptz(reported.transactionsUpdatedAt)}
          or p.product in ('holdings', 'investment_transactions') and item.investments_updated_at is distinct
            from ${timestamptz(reported.investmentsUpdatedAt)})
        returning p.id
      ) select id from added union all select id from raised`,
  )
}

/**
 * Whether a consent ends within a week. An item whose consent has ended has an error (Plaid). One without an error a
 * day later was renewed, so the stored time is out of date.
 */
const isExpiring = (consentExpiresAt: SQL): SQL =>
  sql`${consentExpiresAt} > now() - interval '1 day' and ${consentExpiresAt} < now() + interval '7 days'`

/** Announced deadlines of an item `i` in the future, as branches of a `case` for its status and for the reason. */
export const announced = (consentExpiresAt: SQL) => ({
  status: sql`when i.disconnect_at > now() then 'pending_disconnect'
    when ${isExpiring(consentExpiresAt)} then 'pending_expiration'`,
  reason: sql`when i.disconnect_at > now() then case when i.status = 'pending_disconnect' then i.status_reason
    else 'PENDING_DISCONNECT' end
    when ${isExpiring(consentExpiresAt)} then 'PENDING_EXPIRATION'`,
})

/**
 * Writes what differs. Without an error, an announced deadline in the future becomes the status.
 * @param audit of an error that only a new link ends; stored if it is new
 */
export function writeItem(lease: Lease, reported: ReportedItem, audit: AuditRow | null) {
  const ahead = announced(timestamptz(reported.consentExpiresAt))
  return command(sql`with latest as (
        select i.id, coalesce(${reported.institutionId}, i.institution_id) as institution_id,
          coalesce(${reported.institutionName}, i.institution_name) as institution_name,
          ${timestamptz(reported.consentExpiresAt)} as consent_expires_at,
          ${timestamptz(reported.transactionsUpdatedAt)} as transactions_updated_at,
          ${timestamptz(reported.investmentsUpdatedAt)} as investments_updated_at,
          ${reported.capabilities}::text as capabilities,
          i.missed_webhooks + (${missed('i', reported)})::int as missed_webhooks,
          case when ${missed('i', reported)} then ${timestamptz(reported.lastWebhook?.sentAt ?? null)}
            else i.missed_webhook_at end as missed_webhook_at,
          case when i.rotation_started_at < now() - make_interval(mins => ${rotatingMinutes}) then null
            else i.rotation_started_at end as rotation_started_at,
          case
            when ${reported.trouble !== null} then ${reported.trouble?.status ?? null}
            ${ahead.status}
            when i.status = 'initializing' and ${awaitsTransactions} then 'initializing'
            else 'healthy' end as status,
          case
            when ${reported.trouble !== null} then ${reported.trouble?.reason ?? null}
            ${ahead.reason} end as status_reason
        from items i where i.id = ${lease.itemId} and i.status not in (${lost})
      ), written as (
        update items i set institution_id = latest.institution_id, institution_name = latest.institution_name,
          consent_expires_at = latest.consent_expires_at, transactions_updated_at = latest.transactions_updated_at,
          investments_updated_at = latest.investments_updated_at, capabilities = latest.capabilities,
            missed_webhooks = latest.missed_webhooks,
          missed_webhook_at = latest.missed_webhook_at, rotation_started_at = latest.rotation_started_at,
          rotation_owner = case when latest.rotation_started_at is null then null else i.rotation_owner end,
            status = latest.status, status_reason = latest.status_reason,
          updated_at = now()
        from latest where i.id = latest.id and (i.institution_id, i.institution_name, i.consent_expires_at,
          i.transactions_updated_at,
          i.investments_updated_at, i.capabilities, i.missed_webhooks, i.rotation_started_at, i.status,
            i.status_reason) is distinct from (latest.institution_id, latest.institution_name,
          latest.consent_expires_at, latest.transactions_updated_at, latest.investments_updated_at, latest.capabilities,
            latest.missed_webhooks, latest.rotation_started_at, latest.status, latest.status_reason)
        returning ${audit === null ? sql`null` : recorded(audit)}
      ) select set_config('app.upserted', (select count(*) from written)::text, true)`)
}
