// API keys: created, listed and revoked, by their user or by an administrator. The digest is written once and never
// read.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { type AuditRow, recorded } from '../audit/record.ts'
import { arrayText } from '../core/array-text.ts'
import { bytea } from '../core/bytea.ts'
import { type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { timestamptz } from '../core/columns.ts'
import { type Key, type Page, toPage } from '../core/page.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { anyRow, command, idRow, query } from '../core/statement.ts'

const keyRow = z
  .object({
    id: z.string(),
    application_id: z.string().nullable(),
    user_id: z.string().nullable(),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(z.string()),
    networks: z.array(z.string()),
    created_at: z.coerce.date(),
    expires_at: z.coerce.date().nullable(),
    last_used_at: z.coerce.date().nullable(),
    revoked_at: z.coerce.date().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    applicationId: row.application_id,
    userId: row.user_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    networks: row.networks,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  }))
export type ApiKey = z.output<typeof keyRow>

const columns = sql`id, application_id, user_id, name, prefix, to_jsonb(scopes) as scopes,
  to_jsonb(networks) as networks,
  created_at, expires_at, last_used_at, revoked_at`

export interface NewApiKey {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly digest: Uint8Array
  readonly scopes: readonly string[]
  readonly networks: readonly string[]
  readonly expiresAt: Date | null
  /** Of the creator and their `Idempotency-Key`; null without one. */
  readonly requestDigest: Uint8Array | null
}

/** The result of a creation. `repeated` is the key that the same request has made. */
export type Insertion =
  | { readonly kind: 'created'; readonly key: ApiKey }
  | { readonly kind: 'repeated'; readonly id: string; readonly prefix: string }
  | { readonly kind: 'too_many' | 'no_application' }

/** Live keys of an owner, and keys that an owner makes within a day. */
const mostKeys = { user: 20, application: 100 } as const

/** Which keys are the owner's. */
type Owner = { readonly kind: keyof typeof mostKeys; readonly column: SQL; readonly value: SQL }
const ofMe: Owner = { kind: 'user', column: sql.raw('user_id'), value: sql`${me}` }
const ofApplication = (id: string): Owner => ({
  kind: 'application',
  column: sql.raw('application_id'),
  value: sql`${id}::uuid`,
})

const repeatedRow = z.object({ id: z.string(), prefix: z.string() })

/** The statements of a creation. Concurrent creations of an owner wait for one another. */
function insertion(owner: Owner, key: NewApiKey, audit: AuditRow) {
  const isOwn = sql`${owner.column} = ${owner.value}`
  const most = mostKeys[owner.kind]
  const { id, name, prefix, digest, scopes, networks, expiresAt, requestDigest } = key
  return {
    locked: command(
      sql`select pg_advisory_xact_lock(hashtextextended('api keys of ' || coalesce(${owner.value}::text, ''), 0))`,
    ),
    earlier: query(repeatedRow, sql`select id, prefix from api_keys where request_digest = ${bytea(requestDigest)}`),
    inserted: query(
      idRow,
      sql`insert into api_keys (id, ${owner.column}, name, prefix, digest, scopes, networks, expires_at, request_digest)
        select ${id}::uuid, ${owner.value}, ${name}::text, ${prefix}::text, ${bytea(digest)},
          ${arrayText(scopes)}::text[], ${arrayText(networks)}::text[], ${timestamptz(expiresAt)},
            ${bytea(requestDigest)}
        where (select count(*) < ${most} from api_keys where ${isOwn} and created_at > now() - interval '1 day')
          and (select count(*) < ${most} from api_keys
            where ${isOwn} and revoked_at is null and coalesce(expires_at > now(), true))
        on conflict (request_digest) do nothing returning id, ${recorded(audit)}`,
    ),
    found: query(keyRow, sql`select ${columns} from api_keys where id = ${id}`),
  }
}

interface Inserted {
  readonly earlier: readonly z.output<typeof repeatedRow>[]
  readonly found: readonly ApiKey[]
}

function outcomeOf({ earlier: [repeated], found: [key] }: Inserted): Insertion {
  if (repeated !== undefined) return { kind: 'repeated', ...repeated }
  return key === undefined ? { kind: 'too_many' } : { kind: 'created', key }
}

/** Creates a key of a user, and the user if they are new. */
export async function insertOwnKey(
  api: ApiDatabase,
  identity: Identity,
  key: NewApiKey,
  audit: AuditRow,
): Promise<Insertion> {
  return outcomeOf(await asNewUser(api, identity, insertion(ofMe, key, audit)))
}

/** Creates a key of an application. */
export async function insertApplicationKey(
  jobs: JobsDatabase,
  applicationId: string,
  key: NewApiKey,
  audit: AuditRow,
): Promise<Insertion> {
  const { known } = await batch(jobs, {
    known: query(anyRow, sql`select 1 from applications where id = ${applicationId}`),
  })
  // No application is deleted.
  if (known.length === 0) return { kind: 'no_application' }
  return outcomeOf(await batch(jobs, insertion(ofApplication(applicationId), key, audit)))
}

const afterKey = (from: Key | null): SQL =>
  from === null ? sql`true` : sql`(created_at, id) > (${from[0]}::timestamptz, ${from[1]}::uuid)`
const pageKey = ({ createdAt, id }: ApiKey): Key => [createdAt.toISOString(), id]

/** The keys of a user, oldest first. */
export async function listOwnKeys(
  api: ApiDatabase,
  identity: Identity,
  limit: number,
  from: Key | null,
): Promise<Page<ApiKey>> {
  const { found } = await asUser(api, identity, {
    found: query(
      keyRow,
      sql`select ${columns} from api_keys where user_id = ${me} and ${afterKey(from)}
        order by created_at, id limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, pageKey)
}

/** The keys of everyone, or of one application, oldest first. */
export async function listKeys(
  jobs: JobsDatabase,
  applicationId: string | null,
  limit: number,
  from: Key | null,
): Promise<Page<ApiKey>> {
  const chosen = applicationId === null ? sql`true` : sql`application_id = ${applicationId}::uuid`
  const { found } = await batch(jobs, {
    found: query(
      keyRow,
      sql`select ${columns} from api_keys where ${chosen} and ${afterKey(from)}
        order by created_at nulls first, id limit ${limit + 1}`,
    ),
  })
  return toPage(found, limit, pageKey)
}

const revocation = (id: string, isOwn: SQL, audit: AuditRow) => ({
  known: query(anyRow, sql`select 1 from api_keys where id = ${id}::uuid and ${isOwn}`),
  revoked: command(
    sql`update api_keys set revoked_at = now() where id = ${id}::uuid and ${isOwn} and revoked_at is null
      returning ${recorded(audit)}`,
  ),
})

/** Ends a key of the user immediately; false if they have no such key. */
export async function revokeOwnKey(
  api: ApiDatabase,
  identity: Identity,
  id: string,
  audit: AuditRow,
): Promise<boolean> {
  return (await asUser(api, identity, revocation(id, sql`user_id = ${me}`, audit))).known.length > 0
}

const ownerRow = z.object({ user_id: z.string().nullable() }).transform((row) => ({ userId: row.user_id }))

/** Whose key it is; null if there is none. */
export async function ownerOfKey(jobs: JobsDatabase, id: string): Promise<z.output<typeof ownerRow> | null> {
  const { found } = await batch(jobs, {
    found: query(ownerRow, sql`select user_id from api_keys where id = ${id}::uuid`),
  })
  return found[0] ?? null
}

/** Ends any key immediately. */
export async function revokeKey(jobs: JobsDatabase, id: string, audit: AuditRow): Promise<void> {
  await batch(jobs, revocation(id, sql`true`, audit))
}
