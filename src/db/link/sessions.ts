// Link tokens and their owners. A token is looked up by its digest. The token itself is stored, sealed, only if Plaid
// must be asked about the session.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { type LinkCaps, lockLinks, maySession, trimLinks } from './caps.ts'
import { asUser, type Identity } from '../core/scope.ts'
import { idsInTurns } from '../core/turns.ts'
import { bigCount, command, idRow, query } from '../core/statement.ts'

export interface NewLinkSession {
  readonly id: string
  readonly userId: string
  readonly tokenDigest: string
  readonly tokenSealed: string | null
  /** The item for update mode; null for a new one. */
  readonly itemId: string | null
  /** Plaid's id of the user, if the link token contains it. */
  readonly plaidUserId: string | null
  readonly expiresAt: Date
  /** When Plaid is first asked for the session's results, in case its webhook is lost; null for never. */
  readonly checkAt: Date | null
}

/** Stores a session; false if concurrent requests have used up the user's allowance. */
export async function insertLinkSession(
  database: ApiDatabase,
  identity: Identity,
  session: NewLinkSession,
  caps: LinkCaps,
  audit: AuditRow,
): Promise<boolean> {
  const { id, userId, tokenDigest, tokenSealed, itemId, plaidUserId, expiresAt, checkAt } = session
  const { inserted } = await asUser(database, identity, {
    locked: lockLinks(),
    trimmed: trimLinks(),
    inserted: query(
      idRow,
      sql`insert into link_sessions (id, user_id, token_digest, token_sealed, item_id, plaid_user_id, expires_at,
        check_at)
        select ${id}::uuid, ${userId}::uuid, ${tokenDigest}, ${tokenSealed}::text, ${itemId}::uuid,
          ${plaidUserId}::text,
          ${expiresAt.toISOString()}::timestamptz, ${checkAt?.toISOString() ?? null}::timestamptz
        where ${maySession(caps, tokenSealed !== null)} returning id, ${recorded(audit)}`,
    ),
  })
  return inserted.length > 0
}

export interface LinkSession {
  readonly id: string
  readonly userId: string
  readonly identity: Identity
  readonly tokenSealed: string
  readonly itemId: string | null
  readonly expiresAt: Date
  /** When the session was first seen as finished. */
  readonly finishedAt: Date | null
}

const sessionRow = z.object({
  id: z.string(),
  user_id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  token_sealed: z.string(),
  item_id: z.string().nullable(),
  expires_at: z.string(),
  finished_at: z.string().nullable(),
})

const usersRow = z.object({ users: bigCount, missing: bigCount })

/** How many users got a link token in the last hour, and how many of them have no id of Plaid's user API. */
export async function countRecentLinkUsers(
  jobs: JobsDatabase,
): Promise<{ readonly users: number; readonly missing: number }> {
  const { counted } = await batch(jobs, {
    counted: query(
      usersRow,
      sql`select count(*) as users, count(*) filter (where u.plaid_user_id is null
        or u.plaid_user_id not like 'usr\\_%') as missing
        from users u where u.id in (select s.user_id from link_sessions s
          where s.created_at > now() - interval '1 hour')`,
    ),
  })
  return counted[0] ?? { users: 0, missing: 0 }
}

const dueRow = z.object({ id: z.string(), user_id: z.string() })

/** Claims sessions about which Plaid must be asked. Each is postponed, so that concurrent sweeps do not ask twice. */
export async function claimLinkSessions(
  jobs: JobsDatabase,
  limit: number,
): Promise<{ readonly id: string; readonly userId: string }[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      dueRow,
      sql`update link_sessions set check_at = now() + interval '5 minutes'
        where id in (${idsInTurns('link_sessions', sql`check_at <= now()`, 'check_at', limit)}) returning id, user_id`,
    ),
  })
  return claimed.map((row) => ({ id: row.id, userId: row.user_id }))
}

/** One session about which Plaid can be asked; null if there is none. */
export async function getLinkSession(jobs: JobsDatabase, id: string): Promise<LinkSession | null> {
  const { found } = await batch(jobs, {
    found: query(
      sessionRow,
      sql`select s.id, s.user_id, u.issuer, u.subject, s.token_sealed, s.item_id, s.expires_at, s.finished_at
        from link_sessions s join users u on u.id = s.user_id where s.id = ${id} and s.token_sealed is not null`,
    ),
  })
  const row = found[0]
  if (row === undefined) return null
  return {
    id: row.id,
    userId: row.user_id,
    identity: { issuer: row.issuer, subject: row.subject },
    tokenSealed: row.token_sealed,
    itemId: row.item_id,
    expiresAt: new Date(row.expires_at),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at),
  }
}

/**
 * Sets when to ask again. With null the session has ended at Plaid, and the token is deleted unless a webhook can still
 * refer to it.
 */
export async function concludeLinkSession(
  jobs: JobsDatabase,
  id: string,
  end: { readonly finished: boolean; readonly checkAt: Date | null },
): Promise<void> {
  await execute(jobs, [
    command(sql`update link_sessions set check_at = ${end.checkAt?.toISOString() ?? null}::timestamptz,
          finished_at = case when ${end.finished} then coalesce(finished_at, now()) else finished_at end,
          token_sealed = case when ${end.checkAt === null} and expires_at < now() then null else token_sealed end
        where id = ${id}`),
  ])
}
