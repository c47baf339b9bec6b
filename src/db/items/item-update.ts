// What /item/get says of an item, written inside a sync's commit.
import { type SQL, sql } from 'drizzle-orm'
import { rotatingMinutes } from './rotations.ts'
import { askedAgain, awaitsTransactions, isResting, type Lease, lost, stopped } from '../sync/work.ts'
import { command, idRow, query } from '../core/statement.ts'

/** What a later look at the item is compared with: where it differs, products are read again. */
export interface ItemLook {
  /** Plaid's times of its last good look at the bank. */
  readonly transactionsUpdatedAt: Date | null
  readonly investmentsUpdatedAt: Date | null
  /** What Plaid names for the item, enabled, available and consented, as one text: a change may end a refusal. */
  readonly capabilities: string
}

export interface ItemFacts extends ItemLook {
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly consentExpiresAt: Date | null
  /** What the item's error means for its status; null when it has none. */
  readonly trouble: { readonly status: string; readonly reason: string } | null
  /** The last webhook that Plaid sent, as it says. */
  readonly lastWebhook: { readonly sentAt: Date; readonly code: string } | null
  /** The products that it has or may get. */
  readonly products: readonly string[]
}

const time = (value: Date | null) => sql`${value?.toISOString() ?? null}::timestamptz(3)`

/** Plaid's first retries are over by then; a webhook that comes still later is taken for missed, and does no harm. */
const webhookPatience = sql.raw(`interval '5 minutes'`)

/** Whether Plaid sent a webhook about the item that never came, and that was not seen to be missing before. */
function missed(item: string, { lastWebhook }: ItemFacts) {
  if (lastWebhook === null) return sql`false`
  const i = sql.raw(item)
  const sentAt = time(lastWebhook.sentAt)
  return sql`(${sentAt} < now() - ${webhookPatience} and ${sentAt} > ${i}.created_at
    and ${sentAt} > coalesce(${i}.missed_webhook_at, '-infinity') and not exists (select 1 from webhook_events e
      where e.plaid_item_id = ${i}.plaid_item_id and e.webhook_code = ${lastWebhook.code}
        and e.received_at > ${sentAt} - interval '1 minute'))`
}

/**
 * Adds products that are new, and raises the dirty marks of those that a webhook should have told about: Plaid has
 * looked at the bank since, or the item works again. Products that Plaid refused are asked for again where it names
 * other products for the item than before. Returns their ids. To run before `writeItem`.
 */
export function markProductsDirty(lease: Lease, facts: ItemFacts) {
  return query(
    idRow,
    sql`with added as (
        insert into item_products (item_id, user_id, product)
        select ${lease.itemId}::uuid, ${lease.userId}::uuid, product
          from unnest(${sql.param(facts.products)}::text[]) as p(product)
        on conflict (item_id, product) do nothing returning id
      ), item as (select * from items where id = ${lease.itemId}),
      raised as (
        update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')} from item
        where p.item_id = item.id and p.product <> 'item' and (
          item.status in (${stopped}) and ${facts.trouble === null} or ${missed('item', facts)}
          or ${isResting('p')} and item.capabilities <> ${facts.capabilities}
          or p.product = 'transactions' and item.transactions_updated_at is distinct
            from ${time(facts.transactionsUpdatedAt)}
          or p.product in ('holdings', 'investment_transactions') and item.investments_updated_at is distinct
            from ${time(facts.investmentsUpdatedAt)})
        returning p.id
      ) select id from added union all select id from raised`,
  )
}

/**
 * Whether a consent is about to end, from a week before. An item whose consent has ended has an error of its own
 * (Plaid); one that has none a day later was renewed, and the time is an old one.
 */
const isExpiring = (consentExpiresAt: SQL): SQL =>
  sql`${consentExpiresAt} > now() - interval '1 day' and ${consentExpiresAt} < now() + interval '7 days'`

/** What was announced of an item `i` and is still ahead, as branches of a `case` for its status and for the reason. */
export const announced = (consentExpiresAt: SQL) => ({
  status: sql`when i.disconnect_at > now() then 'pending_disconnect'
    when ${isExpiring(consentExpiresAt)} then 'pending_expiration'`,
  reason: sql`when i.disconnect_at > now() then case when i.status = 'pending_disconnect' then i.status_reason
    else 'PENDING_DISCONNECT' end
    when ${isExpiring(consentExpiresAt)} then 'PENDING_EXPIRATION'`,
})

/** Writes the facts where they differ. Without trouble, a deadline that is still ahead shows in the status. */
export function writeItem(lease: Lease, facts: ItemFacts) {
  const ahead = announced(time(facts.consentExpiresAt))
  return command(sql`with told as (
        select i.id, coalesce(${facts.institutionId}, i.institution_id) as institution_id,
          coalesce(${facts.institutionName}, i.institution_name) as institution_name,
          ${time(facts.consentExpiresAt)} as consent_expires_at,
          ${time(facts.transactionsUpdatedAt)} as transactions_updated_at,
          ${time(facts.investmentsUpdatedAt)} as investments_updated_at,
          ${facts.capabilities}::text as capabilities,
          i.missed_webhooks + (${missed('i', facts)})::int as missed_webhooks,
          case when ${missed('i', facts)} then ${time(facts.lastWebhook?.sentAt ?? null)}
            else i.missed_webhook_at end as missed_webhook_at,
          case when i.rotation_started_at < now() - make_interval(mins => ${rotatingMinutes}) then null
            else i.rotation_started_at end as rotation_started_at,
          case
            when ${facts.trouble !== null} then ${facts.trouble?.status ?? null}
            ${ahead.status}
            when i.status = 'initializing' and ${awaitsTransactions} then 'initializing'
            else 'healthy' end as status,
          case
            when ${facts.trouble !== null} then ${facts.trouble?.reason ?? null}
            ${ahead.reason} end as status_reason
        from items i where i.id = ${lease.itemId} and i.status not in (${lost})
      ), written as (
        update items i set institution_id = told.institution_id, institution_name = told.institution_name,
          consent_expires_at = told.consent_expires_at, transactions_updated_at = told.transactions_updated_at,
          investments_updated_at = told.investments_updated_at, capabilities = told.capabilities,
            missed_webhooks = told.missed_webhooks,
          missed_webhook_at = told.missed_webhook_at, rotation_started_at = told.rotation_started_at,
          rotation_owner = case when told.rotation_started_at is null then null else i.rotation_owner end,
            status = told.status, status_reason = told.status_reason,
          updated_at = now()
        from told where i.id = told.id and (i.institution_id, i.institution_name, i.consent_expires_at,
          i.transactions_updated_at,
          i.investments_updated_at, i.capabilities, i.missed_webhooks, i.rotation_started_at, i.status,
            i.status_reason) is distinct from (told.institution_id, told.institution_name,
          told.consent_expires_at, told.transactions_updated_at, told.investments_updated_at, told.capabilities,
            told.missed_webhooks, told.rotation_started_at, told.status, told.status_reason)
        returning 1
      ) select set_config('app.upserted', (select count(*) from written)::text, true)`)
}
