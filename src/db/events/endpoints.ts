// Endpoints of events, for their owners.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recordAudit, recorded } from '../audit/record.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { anyRow, command, idRow, query } from '../core/statement.ts'
import { asOwner, type EndpointOwner, isOwned } from './owner.ts'

const date = z.coerce.date()
const endpointRow = z
  .object({
    id: z.string(),
    user_id: z.string().nullable(),
    application_id: z.string().nullable(),
    url: z.string(),
    events: z.array(z.string()).nullable(),
    state: z.enum(['unverified', 'enabled', 'disabled']),
    disabled_reason: z.string().nullable(),
    secret_sealed: z.string(),
    previous_sealed: z.string().nullable(),
    previous_until: date.nullable(),
    failing_since: date.nullable(),
    created_at: date,
  })
  .transform((row) => ({
    id: row.id,
    userId: row.user_id,
    applicationId: row.application_id,
    url: row.url,
    events: row.events,
    state: row.state,
    disabledReason: row.disabled_reason,
    secretSealed: row.secret_sealed,
    /** While it is valid; otherwise null. */
    previousSealed: row.previous_sealed,
    previousUntil: row.previous_until,
    failingSince: row.failing_since,
    createdAt: row.created_at,
  }))
export type Endpoint = z.output<typeof endpointRow>

const columns =
  sql.raw(`id, user_id, application_id, url, to_jsonb(events) as events, state, disabled_reason, secret_sealed,
  case when previous_until > now() then previous_sealed end as previous_sealed,
  case when previous_until > now() then previous_until end as previous_until, failing_since, created_at`)

const one = (owner: EndpointOwner, id: string): SQL => sql`id = ${id} and ${isOwned(owner)}`

/** The owner's endpoints, oldest first. */
export async function listEndpoints(owner: EndpointOwner, limit: number, from: Key | null): Promise<Page<Endpoint>> {
  const place = from === null ? sql`true` : sql`(created_at, id) > (${from[0]}::timestamptz, ${from[1]}::uuid)`
  const { found } = await asOwner(owner, {
    planned: plan(inIndexOrder),
    found: query(
      endpointRow,
      sql`select ${columns} from webhook_endpoints where ${isOwned(owner)} and ${place}
        order by created_at, id limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, (endpoint) => [endpoint.createdAt.toISOString(), endpoint.id])
}

export async function findEndpoint(owner: EndpointOwner, id: string): Promise<Endpoint | null> {
  const { found } = await asOwner(owner, {
    found: query(endpointRow, sql`select ${columns} from webhook_endpoints where ${one(owner, id)}`),
  })
  return found[0] ?? null
}

export interface NewEndpoint {
  readonly id: string
  /** Null for an endpoint of an application or of administrators. */
  readonly userId: string | null
  /** Null for an endpoint of a user or of administrators. */
  readonly applicationId: string | null
  readonly url: string
  /** Null for all types. */
  readonly events: readonly string[] | null
  readonly secretSealed: string
}

/** Null if the owner has `most` already. */
export async function insertEndpoint(
  owner: EndpointOwner,
  { id, userId, applicationId, url, events, secretSealed }: NewEndpoint,
  most: number,
  audit: AuditRow,
): Promise<Endpoint | null> {
  const { inserted } = await asOwner(owner, {
    // Two requests at once are counted one after the other.
    locked: command(
      sql`select pg_advisory_xact_lock(
        hashtextextended('webhook_endpoints' || ${userId ?? applicationId ?? ''}::text, 0))`,
    ),
    inserted: query(
      endpointRow,
      sql`insert into webhook_endpoints (id, user_id, application_id, url, events, secret_sealed)
        select ${id}::uuid, ${userId}::uuid, ${applicationId}::uuid, ${url}, ${sql.param(events)}::text[],
          ${secretSealed}
        where (select count(*) from webhook_endpoints where ${isOwned(owner)}) < ${most}
        returning ${columns}, ${recorded(audit)}`,
    ),
  })
  return inserted[0] ?? null
}

export interface EndpointChange {
  readonly url?: string | undefined
  readonly events?: readonly string[] | null | undefined
  readonly isEnabled?: boolean | undefined
}

/**
 * Changes an endpoint. With another URL, or when it is enabled again, it must return a challenge first. Null if the
 * owner has no such endpoint.
 */
export async function updateEndpoint(
  owner: EndpointOwner,
  id: string,
  { url, events, isEnabled }: EndpointChange,
  audit: AuditRow,
): Promise<Endpoint | null> {
  const asksAgain = sql`(${isEnabled === true} and state = 'disabled'
    or ${url !== undefined} and url <> coalesce(${url ?? null}, url) and state <> 'disabled')`
  const { updated } = await asOwner(owner, {
    updated: query(
      endpointRow,
      sql`update webhook_endpoints set url = coalesce(${url ?? null}, url),
          events = case when ${events === undefined} then events else ${sql.param(events ?? null)}::text[] end,
          state = case when ${isEnabled === false} then 'disabled' when ${asksAgain} then 'unverified' else state end,
          disabled_reason = case when ${isEnabled === false} then 'requested' when ${asksAgain} then null
            else disabled_reason end,
          failures = case when ${asksAgain} then 0 else failures end,
          failing_since = case when ${asksAgain} then null else failing_since end,
          next_attempt_at = case when ${asksAgain} then now() else next_attempt_at end, updated_at = now()
        where ${one(owner, id)} returning ${columns}, ${recorded(audit)}`,
    ),
  })
  return updated[0] ?? null
}

/** The endpoint has answered a challenge at this URL. Null if it has another one now, or is not waiting for one. */
export async function verifyEndpoint(
  owner: EndpointOwner,
  { id, url }: Pick<Endpoint, 'id' | 'url'>,
  audit: AuditRow,
): Promise<Endpoint | null> {
  const { verified } = await asOwner(owner, {
    verified: query(
      endpointRow,
      sql`update webhook_endpoints set state = 'enabled', disabled_reason = null, failures = 0, failing_since = null,
          next_attempt_at = now(), updated_at = now()
        where ${one(owner, id)} and url = ${url} and state = 'unverified' returning ${columns}, ${recorded(audit)}`,
    ),
  })
  return verified[0] ?? null
}

/** Replaces the secret; the old one also signs for `overlapHours`. Null if it changed meanwhile. */
export async function replaceSecret(
  owner: EndpointOwner,
  { id, secretSealed }: Pick<Endpoint, 'id' | 'secretSealed'>,
  sealed: string,
  overlapHours: number,
  audit: AuditRow,
): Promise<Endpoint | null> {
  const { replaced } = await asOwner(owner, {
    replaced: query(
      endpointRow,
      sql`update webhook_endpoints set secret_sealed = ${sealed}, previous_sealed = secret_sealed,
          previous_until = now() + make_interval(hours => ${overlapHours}), updated_at = now()
        where ${one(owner, id)} and secret_sealed = ${secretSealed} returning ${columns}, ${recorded(audit)}`,
    ),
  })
  return replaced[0] ?? null
}

/** Deletes an endpoint with its deliveries. Returns whether there was one. */
export async function deleteEndpoint(owner: EndpointOwner, id: string, audit: AuditRow): Promise<boolean> {
  const { deleted } = await asOwner(owner, {
    deleted: query(idRow, sql`delete from webhook_endpoints where ${one(owner, id)} returning id, ${recorded(audit)}`),
  })
  return deleted.length > 0
}

/** Adds a test to the deliveries of an enabled endpoint. Returns false if there is none. */
export async function insertPing(owner: EndpointOwner, id: string, audit: AuditRow): Promise<boolean> {
  const isEnabled = sql`${one(owner, id)} and state = 'enabled'`
  const { inserted } = await asOwner(owner, {
    inserted: query(
      anyRow,
      sql`insert into webhook_deliveries (event_id, endpoint_id, owner_id, application_id, user_id, type, data)
        select gen_random_uuid(), id, user_id, application_id, user_id, 'ping', '{}'
        from webhook_endpoints where ${isEnabled}
        returning id`,
    ),
    recorded: recordAudit(audit, sql`exists (select 1 from webhook_endpoints where ${isEnabled})`),
  })
  return inserted.length > 0
}
