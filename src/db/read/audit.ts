// The audit trail as people read it: users their own, administrators all of it. Newest first, by keyset pages.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { type Identity, pageAsUser } from '../core/scope.ts'
import { query } from '../core/statement.ts'

const ownColumns = z.object({
  id: z.string(),
  at: z.coerce.date(),
  actor_kind: z.string(),
  action: z.string(),
  target_kind: z.string(),
  target_id: z.string().nullable(),
  request_id: z.string(),
  api_key: z.string().nullable(),
})
const ownFields = (row: z.output<typeof ownColumns>) => ({
  id: row.id,
  at: row.at,
  actorKind: row.actor_kind,
  action: row.action,
  targetKind: row.target_kind,
  targetId: row.target_id,
  requestId: row.request_id,
  /** The first characters of the API key with which it was done. */
  apiKey: row.api_key,
})
const ownRow = ownColumns.transform(ownFields)
export type OwnAuditRow = z.output<typeof ownRow>

const place = ([at, id]: Key): SQL => sql`(${at}::timestamptz, ${id}::uuid)`
const pageKey = ({ at, id }: { readonly at: Date; readonly id: string }): Key => [at.toISOString(), id]

/** The rows of the user's own trail. */
export async function listOwnAudit(
  database: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<OwnAuditRow>> {
  const { found } = await pageAsUser(database, identity, {
    found: query(
      ownRow,
      sql`select l.id, l.at, l.actor_kind, l.action, l.target_kind, l.target_id, l.request_id, p.api_key
        from audit_people p join audit_log l on l.id = p.audit_id
        where p.part = 'owner' and p.person = current_setting('app.person', true)
          and ${from === null ? sql`true` : sql`(p.at, p.audit_id) < ${place(from)}`}
        order by p.at desc, p.audit_id desc limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, pageKey)
}

export interface AuditFilters {
  /** In whose trail the row is: the id of a user. */
  readonly userId?: string | undefined
  readonly actorKind?: string | undefined
  readonly action?: string | undefined
  readonly targetId?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const anyRow = ownColumns
  .extend({
    correlation_id: z.string().nullable(),
    network: z.string().nullable(),
    owner: z.string().nullable(),
    actor: z.string().nullable(),
  })
  .transform((row) => ({
    ...ownFields(row),
    correlationId: row.correlation_id,
    network: row.network,
    /** In whose trail the row is, and who acted: `personOf` their issuer and subject. */
    owner: row.owner,
    actor: row.actor,
  }))
export type AuditLogRow = z.output<typeof anyRow>

/** The people of one user's rows have a separate index, in the order of time. */
const ofUser = (userId: string): SQL =>
  sql`o.part = 'owner' and o.person = (select app.person_of(issuer, subject) from users where id = ${userId})`

/** A person of the row `l`. `offset 0` keeps it from becoming a join, which may read all rows of the table. */
const personOf = (part: 'owner' | 'actor'): SQL =>
  sql`(select person, api_key from audit_people where audit_id = l.id and part = ${part} offset 0)`

/** The rows of every trail that the filters choose. */
export async function listAudit(
  jobs: JobsDatabase,
  { userId, actorKind, action, targetId, from: since, to }: AuditFilters,
  limit: number,
  from: Key | null,
): Promise<Page<AuditLogRow>> {
  const [at, id] = userId === undefined ? [sql`l.at`, sql`l.id`] : [sql`o.at`, sql`o.audit_id`]
  const source =
    userId === undefined
      ? sql`audit_log l left join lateral ${personOf('owner')} o on true`
      : sql`audit_people o join audit_log l on l.id = o.audit_id`
  const chosen = [
    userId === undefined ? [] : ofUser(userId),
    actorKind === undefined ? [] : sql`l.actor_kind = ${actorKind}`,
    action === undefined ? [] : sql`l.action = ${action}`,
    targetId === undefined ? [] : sql`l.target_id = ${targetId}`,
    since === undefined ? [] : sql`${at} >= ${since}::date`,
    to === undefined ? [] : sql`${at} < ${to}::date + 1`,
    from === null ? [] : sql`(${at}, ${id}) < ${place(from)}`,
  ].flat()
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: query(
      anyRow,
      sql`select l.id, l.at, l.actor_kind, l.action, l.target_kind, l.target_id, l.request_id, l.correlation_id,
        l.network,
          o.person as owner, a.person as actor, a.api_key
        from ${source} left join lateral ${personOf('actor')} a on true
        where ${sql.join([sql`true`, ...chosen], sql` and `)} order by ${at} desc, ${id} desc limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, pageKey)
}
