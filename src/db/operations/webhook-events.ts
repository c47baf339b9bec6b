// Stores verified webhooks: records each once and marks the affected products dirty, in one transaction.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { timestamptz } from '../core/columns.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { becauseOf } from './status-history.ts'
import { selectWatched, type Watched } from './live.ts'
import { askedAgain, isResting, lost } from '../sync/work.ts'
import { anyRow, command, idRow, query, type Statement } from '../core/statement.ts'

export interface WebhookEvent {
  readonly replayKey: string
  readonly scheme: 'jwt' | 'hmac'
  readonly type: string
  readonly code: string
  readonly plaidItemId: string | null
  /** Digest of the link token in an event about a Link session. */
  readonly linkTokenDigest: string | null
  /** The body without its tokens. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** Changes of the item that an event reports, in addition to marking products dirty. */
export interface ItemUpdate {
  readonly status?: 'pending_disconnect' | 'pending_expiration' | 'revoked'
  readonly statusReason?: string
  readonly disconnectAt?: Date
  readonly consentExpiresAt?: Date
  readonly newAccountsAvailable?: true
  /** The user revoked the consent to this account: it is closed, and its data are deleted after the retention time. */
  readonly revokedPlaidAccountId?: string
  /** The user has repaired the item: earlier announcements no longer apply. */
  readonly repaired?: true
}

export interface Recorded {
  /** Whether the delivery was recorded before. */
  readonly isReplay: boolean
  /** Whether the event concerns nothing that is stored here; it was counted and not stored. */
  readonly isUnmatched: boolean
  /**
   * The products of the event, to be enqueued. Also after a replay, because the first delivery may have crashed before
   * it did so.
   */
  readonly itemProductIds: readonly string[]
  /** The hosted Link session of the event, which must be checked at Plaid. */
  readonly linkSessionId: string | null
  /** The user of a changed item, if a client may watch them. */
  readonly watched: Watched | null
}

/**
 * A transaction's first statement, before it locks a row: serialises events about a Plaid item and the link that stores
 * it, so that each sees what the other has committed.
 */
export const lockPlaidItem = (plaidItemId: string | null) =>
  command(sql`select pg_advisory_xact_lock(hashtextextended(${plaidItemId}::text, 0))`)

/** Rolls back unless the item is the target of the row: its signature covers the id. */
const isSignedFor = (item: SQL, audit: EventAudit): Statement =>
  command(
    sql`select ${refuseWhen(
      sql`exists (select 1 from (${item}) i where i.id::text is distinct from ${audit?.targetId ?? null}::text)`,
      sqlState.itemMoved,
    )}`,
  )

/**
 * Whether an event is stored: it concerns an item that is or was here, or that is being linked or removed, or a Link
 * session. Plaid's signature names no client, so events of other clients can arrive here too. The operator's relay is
 * trusted.
 */
function isKept({ scheme, plaidItemId, linkTokenDigest }: WebhookEvent): SQL {
  const holdsItem = (table: string) =>
    sql`exists (select 1 from ${sql.raw(table)} where plaid_item_id = ${plaidItemId})`
  return sql`(${scheme === 'hmac'} or ${holdsItem('items')} or ${holdsItem('link_exchanges')}
    or ${holdsItem('plaid_removals')}
    or exists (select 1 from link_sessions where token_digest = ${linkTokenDigest}))`
}

/** How many webhooks about one of Plaid's items are kept, in addition to those of the last hour. */
const keptEvents = 1000
/** One in this many deliveries deletes older ones. */
const trimEvery = 32

/** The type for the count: Plaid's name, or `OTHER`. */
const countedType = (type: string): string => (/^[A-Z][A-Z_]{0,39}$/.test(type) ? type : 'OTHER')

/** Whether the delivery was recorded before. */
export async function isRecorded(jobs: JobsDatabase, replayKey: string): Promise<boolean> {
  const { found } = await batch(jobs, {
    found: query(anyRow, sql`select 1 from webhook_events where replay_key = ${replayKey}`),
  })
  return found.length > 0
}

/** The id of the live item that is Plaid's item now; null if there is none. */
export async function findItemOf(jobs: JobsDatabase, plaidItemId: string): Promise<string | null> {
  const { found } = await batch(jobs, {
    found: query(idRow, sql`select id from items where plaid_item_id = ${plaidItemId} and removed_at is null`),
  })
  return found[0] ?? null
}

const reportedError = z.object({ error: z.object({ request_id: z.string().max(100) }) })

/** Plaid's id of the request whose error the webhook reports. */
function requestIdsOf({ payload }: WebhookEvent): string[] {
  const parsed = reportedError.safeParse(payload)
  return parsed.success ? [parsed.data.error.request_id] : []
}

/** The row of the audit trail about a change that an event makes, signed for the item that was found; null for none. */
export type EventAudit = AuditRow | null

/**
 * Records an event and marks the named products of its item dirty. New accounts also mark refused products. A replay
 * changes nothing. An event about nothing that is stored here is only counted. Locks Plaid's item id, then the item's
 * row, then other rows.
 * @param audit undefined for an event that changes nothing that the trail has
 * @throws AppError with `sqlState.itemMoved` where the item is another one than `audit` is signed for
 */
export async function recordEvent(
  jobs: JobsDatabase,
  event: WebhookEvent,
  products: readonly string[],
  update: ItemUpdate,
  audit?: EventAudit,
): Promise<Recorded> {
  const item = sql`select id, user_id from items where plaid_item_id = ${event.plaidItemId} and removed_at is null`
  const eventId = sql`nullif(current_setting('app.event_id', true), '')::uuid`
  const noted = audit ? sql`returning ${recorded(audit)}` : sql``
  const { inserted, unmatched, session, named, watched } = await batch(jobs, {
    plaidItemLocked: lockPlaidItem(event.plaidItemId),
    itemLocked: command(sql`${item} for no key update`),
    signed: audit === undefined ? null : isSignedFor(item, audit),
    inserted: query(
      idRow,
      sql`with event as (
          insert into webhook_events (replay_key, scheme, webhook_type, webhook_code, plaid_item_id, item_id, user_id,
            payload)
          select ${event.replayKey}, ${event.scheme}, ${event.type}, ${event.code}, ${event.plaidItemId}, i.id,
            i.user_id,
            ${JSON.stringify(event.payload)}::jsonb
          from (select 1) one left join (${item}) i on true where ${isKept(event)}
          on conflict (replay_key) do nothing returning id)
        select id, set_config('app.event_id', id::text, true),
          ${becauseOf({ kind: 'webhook', id: sql`id`, requestIds: requestIdsOf(event) })} from event`,
    ),
    unmatched: query(
      anyRow,
      sql`insert into unmatched_webhooks as u (day, webhook_type, count)
        select (now() at time zone 'utc')::date, ${countedType(event.type)}, 1 where not ${isKept(event)}
        on conflict (day, webhook_type) do update set count = u.count + 1 returning 1 as one`,
    ),
    markedDirty:
      command(sql`update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')}
        from (${item}) i where p.item_id = i.id
          and (p.product = any(${sql.param(products)}::text[]) or ${update.newAccountsAvailable === true}
            and ${isResting('p')}) and ${eventId} is not null`),
    itemUpdated: command(sql`update items set status = coalesce(${update.status ?? null}, status),
        status_reason = coalesce(${update.statusReason ?? null}, status_reason),
          disconnect_at = case when ${update.repaired === true} then null
            else coalesce(${timestamptz(update.disconnectAt)}, disconnect_at) end,
          consent_expires_at = coalesce(${timestamptz(update.consentExpiresAt)}, consent_expires_at),
          new_accounts_available = new_accounts_available or ${update.newAccountsAvailable === true}, updated_at = now()
        where plaid_item_id = ${event.plaidItemId} and removed_at is null and status not in (${lost})
          and ${eventId} is not null
          and ${Object.keys(update).length > 0}
        ${update.revokedPlaidAccountId === undefined ? noted : sql``}`),
    accountRevoked:
      command(sql`update accounts a set closed = true, revoked_at = coalesce(a.revoked_at, now()), updated_at = now()
        from (${item}) i
        where a.item_id = i.id and a.plaid_account_id = ${update.revokedPlaidAccountId ?? null}
          and ${eventId} is not null ${update.revokedPlaidAccountId === undefined ? sql`` : noted}`),
    accountHidden: command(sql`select app.hide_account(a.id) from accounts a join (${item}) i on i.id = a.item_id
        where a.plaid_account_id = ${update.revokedPlaidAccountId ?? null} and ${eventId} is not null`),
    session: query(
      idRow,
      sql`update link_sessions set check_at = now() where token_digest = ${event.linkTokenDigest}
        and token_sealed is not null returning id`,
    ),
    trimmed: command(sql`select app.trim_webhooks(${event.plaidItemId}::text, ${keptEvents})
        where ${eventId} is not null and hashtext(${event.replayKey}) % ${trimEvery} = 0`),
    named: query(
      idRow,
      sql`select p.id from item_products p join (${item}) i on i.id = p.item_id
        where p.product = any(${sql.param(products)}::text[])
          or ${update.newAccountsAvailable === true} and p.refusals > 0 and p.status = 'pending'`,
    ),
    // A webhook that marks products dirty alone changes nothing that a client sees.
    watched: Object.keys(update).length === 0 ? null : selectWatched(sql`(select i.user_id from (${item}) i)`),
  })
  return {
    isReplay: inserted.length === 0 && unmatched.length === 0,
    isUnmatched: unmatched.length > 0,
    itemProductIds: named,
    linkSessionId: session[0] ?? null,
    watched: watched[0] ?? null,
  }
}
