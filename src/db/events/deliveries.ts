// Deliveries of events, for the owners of their endpoints.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { bigCount, query } from '../core/statement.ts'
import { asOwner, type EndpointOwner, isOwned } from './owner.ts'

const date = z.coerce.date()
const attemptRow = z
  .object({ at: date, status: z.number().nullable(), duration_ms: z.number(), error: z.string().nullable() })
  .transform((row) => ({ at: row.at, status: row.status, durationMs: row.duration_ms, error: row.error }))
const deliveryRow = z
  .object({
    id: z.string(),
    event_id: z.string(),
    endpoint_id: z.string(),
    user_id: z.string().nullable(),
    item_id: z.string().nullable(),
    type: z.string(),
    state: z.enum(['pending', 'delivered', 'failed']),
    attempts: z.number(),
    created_at: date,
    next_attempt_at: date,
    last_attempt_at: date.nullable(),
    last_status: z.number().nullable(),
    last_duration_ms: z.number().nullable(),
    last_error: z.string().nullable(),
    history: z.array(attemptRow),
  })
  .transform((row) => ({
    id: row.id,
    eventId: row.event_id,
    endpointId: row.endpoint_id,
    userId: row.user_id,
    itemId: row.item_id,
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at,
    nextAttemptAt: row.state === 'pending' ? row.next_attempt_at : null,
    lastAttemptAt: row.last_attempt_at,
    lastStatus: row.last_status,
    lastDurationMs: row.last_duration_ms,
    lastError: row.last_error,
    history: row.history,
  }))
export type Delivery = z.output<typeof deliveryRow>

const columns = sql.raw(`id, event_id, endpoint_id, user_id, item_id, type, state, attempts, created_at,
  next_attempt_at, last_attempt_at, last_status, last_duration_ms, last_error, history`)
const ownerColumn = sql`owner_id`

export interface DeliveryFilter {
  readonly endpointId?: string | undefined
  readonly state?: Delivery['state'] | undefined
}

/** Newest first. */
export async function listDeliveries(
  owner: EndpointOwner,
  { endpointId, state }: DeliveryFilter,
  limit: number,
  from: Key | null,
): Promise<Page<Delivery>> {
  const ofEndpoint: SQL = endpointId === undefined ? sql`true` : sql`endpoint_id = ${endpointId}`
  const inState: SQL = state === undefined ? sql`true` : sql`state = ${state}`
  const place: SQL = from === null ? sql`true` : sql`(created_at, id) < (${from[0]}::timestamptz, ${from[1]}::uuid)`
  const { found } = await asOwner(owner, {
    planned: plan(inIndexOrder),
    found: query(
      deliveryRow,
      sql`select ${columns} from webhook_deliveries
        where ${isOwned(owner, ownerColumn)} and ${ofEndpoint} and ${inState} and ${place}
        order by created_at desc, id desc limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, (delivery) => [delivery.createdAt.toISOString(), delivery.id])
}

export async function findDelivery(owner: EndpointOwner, id: string): Promise<Delivery | null> {
  const { found } = await asOwner(owner, {
    found: query(
      deliveryRow,
      sql`select ${columns} from webhook_deliveries where id = ${id} and ${isOwned(owner, ownerColumn)}`,
    ),
  })
  return found[0] ?? null
}

const again = sql`state = 'pending', next_attempt_at = now(), expires_at = now() + interval '3 days'`

/** Makes a delivery due again, delivered or not. Null if the owner has no such delivery. */
export async function replayDelivery(owner: EndpointOwner, id: string, audit: AuditRow): Promise<Delivery | null> {
  const one = sql`id = ${id} and ${isOwned(owner, ownerColumn)}`
  const { replayed } = await asOwner(owner, {
    recorded: recordAudit(audit, sql`exists (select 1 from webhook_deliveries where ${one})`),
    replayed: query(deliveryRow, sql`update webhook_deliveries set ${again} where ${one} returning ${columns}`),
  })
  return replayed[0] ?? null
}

const countRow = z.object({ count: bigCount }).transform(({ count }) => count)

/** Makes failed deliveries since a time due again, the oldest `limit` first. Returns how many. */
export async function replayFailed(
  owner: EndpointOwner,
  {
    since,
    endpointId = null,
    limit,
  }: { readonly since: Date; readonly endpointId?: string | null; readonly limit: number },
  audit: AuditRow,
): Promise<number> {
  const { replayed } = await asOwner(owner, {
    recorded: recordAudit(audit),
    replayed: query(
      countRow,
      sql`with due as materialized (
          select id from webhook_deliveries where ${isOwned(owner, ownerColumn)} and state = 'failed'
            and created_at >= ${since.toISOString()}::timestamptz
            and (${endpointId}::uuid is null or endpoint_id = ${endpointId}::uuid)
          order by created_at, id limit ${limit}
        ), replayed as (
          update webhook_deliveries d set ${again} from due where d.id = due.id returning 1
        ) select count(*) as count from replayed`,
    ),
  })
  return replayed[0] ?? 0
}
