// The work of the consumer: which endpoints have due deliveries, the lease of one, and the results of its attempts.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { anyRow, command, idRow, query } from '../core/statement.ts'
import { hasKey } from './disabling.ts'

/** The longest time between the claim of an endpoint and its results. */
export const leaseSeconds = 120
/** Attempts of a delivery that are kept: those of three days, and more than one replay. */
export const keptAttempts = 20
/** After that, a message for an endpoint counts as lost. */
const wokenSeconds = 120

const mayBeClaimed = sql`e.state = 'enabled' and e.next_attempt_at <= now()
  and (e.lease_expires_at is null or e.lease_expires_at < now()) and ${hasKey}`
const hasDue = sql.raw(`exists (select 1 from webhook_deliveries d where d.endpoint_id = e.id and d.state = 'pending'
  and d.next_attempt_at <= now())`)
/** Written in the last minute and never attempted. */
const isRecent = sql.raw(`e.id in (select d.endpoint_id from webhook_deliveries d
  where d.created_at > now() - interval '1 minute' and d.state = 'pending' and d.attempts = 0)`)

/**
 * Marks endpoints with due deliveries, so that one message is sent for each, and returns their ids; and whether any
 * endpoint gets events.
 * @param onlyRecent looks at the deliveries of the last minute alone, which costs less
 */
export async function claimDueEndpoints(
  jobs: JobsDatabase,
  onlyRecent: boolean,
  limit: number,
): Promise<{ readonly woken: readonly string[]; readonly hasEndpoints: boolean }> {
  const { woken, enabled } = await batch(jobs, {
    enabled: query(anyRow, sql`select 1 from webhook_endpoints where state = 'enabled' limit 1`),
    woken: query(
      idRow,
      sql`update webhook_endpoints set woken_until = now() + make_interval(secs => ${wokenSeconds})
        where id = any(array(select e.id from webhook_endpoints e
          where ${mayBeClaimed} and (e.woken_until is null or e.woken_until < now())
            and ${onlyRecent ? isRecent : hasDue} order by e.next_attempt_at limit ${limit} for update skip locked))
        returning id`,
    ),
  })
  return { woken, hasEndpoints: enabled.length > 0 }
}

/** The queue did not accept their messages. */
export async function releaseEndpoints(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await batch(jobs, {
    released: query(
      idRow,
      sql`update webhook_endpoints set woken_until = null where id = any(${sql.param(ids)}::uuid[]) returning id`,
    ),
  })
}

const claimedRow = z
  .object({
    id: z.string(),
    user_id: z.string().nullable(),
    application_id: z.string().nullable(),
    url: z.string(),
    secret_sealed: z.string(),
    previous_sealed: z.string().nullable(),
    failures: z.number(),
  })
  .transform((row) => ({
    id: row.id,
    userId: row.user_id,
    applicationId: row.application_id,
    url: row.url,
    secretSealed: row.secret_sealed,
    previousSealed: row.previous_sealed,
    failures: row.failures,
  }))
export type ClaimedEndpoint = z.output<typeof claimedRow>

const eventRow = z
  .object({
    id: z.string(),
    event_id: z.string(),
    type: z.string(),
    user_id: z.string().nullable(),
    subject: z.string().nullable(),
    item_id: z.string().nullable(),
    data: z.record(z.string(), z.unknown()),
    created_at: z.coerce.date(),
    attempts: z.number(),
  })
  .transform((row) => ({
    id: row.id,
    eventId: row.event_id,
    type: row.type,
    userId: row.user_id,
    /** The issuer's id of the user; null for the endpoint of a user. */
    subject: row.subject,
    itemId: row.item_id,
    data: row.data,
    createdAt: row.created_at,
    attempts: row.attempts,
  }))
export type StoredEvent = z.output<typeof eventRow>

export interface Claim {
  readonly endpoint: ClaimedEndpoint
  /** Due, those due longest first. */
  readonly due: readonly StoredEvent[]
}

/**
 * Acquires the lease of an endpoint and reads its due deliveries: `limit`, or one while the endpoint fails. Null if
 * another consumer has it, or it is not due.
 */
export async function claimEndpoint(
  jobs: JobsDatabase,
  id: string,
  lease: string,
  limit: number,
): Promise<Claim | null> {
  const { claimed, due } = await batch(jobs, {
    claimed: query(
      claimedRow,
      sql`update webhook_endpoints e set lease_owner = ${lease}, woken_until = null,
          lease_expires_at = now() + make_interval(secs => ${leaseSeconds})
        where e.id = ${id} and ${mayBeClaimed}
        returning e.id, e.user_id, e.application_id, e.url, e.secret_sealed, e.failures,
          case when e.previous_until > now() then e.previous_sealed end as previous_sealed`,
    ),
    due: query(
      eventRow,
      sql`select d.id, d.event_id, d.type, d.user_id, case when d.owner_id is null then u.subject end as subject,
          d.item_id, d.data, d.created_at, d.attempts
        from webhook_endpoints e join webhook_deliveries d on d.endpoint_id = e.id left join users u on u.id = d.user_id
        where e.id = ${id} and e.lease_owner = ${lease} and d.state = 'pending' and d.next_attempt_at <= now()
        order by d.next_attempt_at, d.id limit (select case when f.failures > 0 then 1 else ${limit}::int end
          from webhook_endpoints f where f.id = ${id})`,
    ),
  })
  const [endpoint] = claimed
  return endpoint === undefined ? null : { endpoint, due }
}

export interface Attempt {
  readonly id: string
  readonly outcome: 'delivered' | 'failed' | 'malformed'
  readonly status: number | null
  readonly durationMs: number
  readonly error: string | null
  /** Seconds until the next attempt of a failed one. */
  readonly retrySeconds: number
}

export interface Attempted {
  readonly endpointId: string
  readonly lease: string
  readonly attempts: readonly Attempt[]
  /** `none`: nothing was sent, through no fault of the endpoint. */
  readonly outcome: 'ok' | 'failed' | 'gone' | 'unsafe' | 'none'
  readonly pauseSeconds: number
  /** How many ended deliveries to keep, where this attempt deletes older ones; null where it does not. */
  readonly keep: number | null
}

export interface Limits {
  readonly failingDays: number
  readonly failingAttempts: number
}

const settledRow = z
  .object({ disabled: z.string().nullable(), more: z.boolean() })
  .transform(({ disabled, more }) => ({ disabledReason: disabled, hasMore: more }))
export type Settled = z.output<typeof settledRow>

/**
 * Stores the results of the attempts, releases the lease, and disables an endpoint that is gone or fails for too long.
 * The audit row is stored if it is disabled. Null if the lease was lost; the results of the attempts are stored anyway.
 */
export async function recordAttempts(
  jobs: JobsDatabase,
  { endpointId, lease, attempts, outcome, pauseSeconds, keep }: Attempted,
  { failingDays, failingAttempts }: Limits,
  audit: AuditRow,
): Promise<Settled | null> {
  const rows = JSON.stringify(
    attempts.map(({ id, durationMs, retrySeconds, ...attempt }) => ({
      ...attempt,
      id,
      duration_ms: durationMs,
      retry_seconds: retrySeconds,
    })),
  )
  const isFailure = outcome === 'failed' || outcome === 'gone' || outcome === 'unsafe'
  const disables = sql`case when ${outcome} in ('gone', 'unsafe') then ${outcome}
    when ${outcome === 'failed'} and e.failing_since < now() - make_interval(days => ${failingDays})
      and e.failures + 1 >= ${failingAttempts} then 'failing' end`
  const { settled } = await batch(jobs, {
    trimmed: keep === null ? null : command(sql`select app.trim_deliveries(${endpointId}, ${keep})`),
    written: query(
      idRow,
      sql`with results as (
          select * from jsonb_to_recordset(${rows}::jsonb) as r (id uuid, outcome text, status smallint,
            duration_ms int, error text, retry_seconds int)
        ), ended as (
          select d.id, r.status, r.duration_ms, r.error, r.retry_seconds, case
            when r.outcome = 'delivered' then 'delivered'
            when r.outcome = 'malformed' or ${outcome === 'gone'} or d.expires_at <= now() then 'failed'
            else 'pending' end as state
          from results r join webhook_deliveries d on d.id = r.id and d.state = 'pending'
        )
        update webhook_deliveries d set state = ended.state, attempts = d.attempts + 1, last_attempt_at = now(),
          last_status = ended.status, last_duration_ms = ended.duration_ms, last_error = ended.error,
          next_attempt_at = least(now() + make_interval(secs => ended.retry_seconds), d.expires_at),
          data = case when ended.state = 'pending' then d.data else d.data - 'subject' end,
          history = case when jsonb_array_length(d.history) < ${keptAttempts} then d.history else d.history - 0 end
            || jsonb_build_object('at', now(), 'status', ended.status, 'duration_ms', ended.duration_ms,
              'error', ended.error)
        from ended where d.id = ended.id returning d.id`,
    ),
    settled: query(
      settledRow,
      sql`with released as (
          update webhook_endpoints e set lease_owner = null, lease_expires_at = null,
            failures = case when ${outcome === 'ok'} then 0 else e.failures + ${isFailure ? 1 : 0} end,
            failing_since = case when ${outcome === 'ok'} then null when ${isFailure}
              then coalesce(e.failing_since, now()) else e.failing_since end,
            next_attempt_at = now() + make_interval(secs => ${pauseSeconds}),
            state = case when ${disables} is null then e.state else 'disabled' end,
            disabled_reason = coalesce(${disables}, e.disabled_reason),
            updated_at = case when ${disables} is null then e.updated_at else now() end
          where e.id = ${endpointId} and e.lease_owner = ${lease} and e.state = 'enabled'
          returning e.id, e.disabled_reason as disabled, ${recorded(audit, sql`e.state = 'disabled'`)}
        )
        select r.disabled, ${pauseSeconds === 0} and r.disabled is null and exists (
          select 1 from webhook_deliveries d where d.endpoint_id = r.id and d.state = 'pending'
            and d.next_attempt_at <= now()) as more from released r`,
    ),
  })
  return settled[0] ?? null
}
