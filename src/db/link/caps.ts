// Limits how much one user may link: live items, and links within 24 hours. Counted under a lock, so that the counts
// cannot change meanwhile.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import type { ApiDatabase } from '../core/client.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { asUser, type Identity, me } from '../core/scope.ts'
import { lost } from '../sync/work.ts'
import { bigCount, command, query } from '../core/statement.ts'

export interface LinkCaps {
  readonly itemsPerUser: number
  readonly linksPerDay: number
}

/** Clients open Link more often than users finish it. */
const tokensPerLink = 10
/** Hosted Link pages that a user can have open: each is polled until it ends. */
const hostedSessions = 20

/** A limit that is reached. `retryAfterSeconds` if waiting alone helps. */
export type Reached =
  | { readonly kind: 'too_many_items'; readonly limit: number }
  | { readonly kind: 'too_many_links'; readonly limit: number; readonly retryAfterSeconds: number }

/** Serialises a user's links until the transaction ends. */
export const lockLinks = () =>
  command(sql`select pg_advisory_xact_lock(hashtextextended('links of ' || coalesce(${me}::text, ''), 0))`)

/** How many expired link tokens and ended exchanges of a user are kept, in addition to those of the last day. */
const keptLinks = 1000

/** Deletes the oldest ones beyond `keptLinks`. */
export const trimLinks = () => command(sql`select app.trim_links(${keptLinks})`)

/** How many live items a user has. Lost items do not count: linking their bank again restores them. */
export const liveItems = (user: SQL | string): SQL =>
  sql`(select count(*) from items where user_id = ${user} and removed_at is null and status not in (${lost}))`

/** Exchanges whose item is not stored yet, for as long as their request may run. */
const inProgress = (exchangeTimeoutSeconds: number): SQL =>
  sql`(select count(*) from link_exchanges where user_id = ${me} and state in ('started', 'exchanged')
    and created_at > now() - make_interval(secs => ${exchangeTimeoutSeconds}))`

/**
 * Seconds until fewer than `limit` rows are younger than a day, which is when the `limit`th newest is a day old. Null
 * if they already are.
 */
const untilFewer = (table: string, limit: number): SQL =>
  sql`(select ceil(extract(epoch from created_at + interval '1 day' - now())) from ${sql.raw(table)}
    where user_id = ${me} and created_at > now() - interval '1 day' order by created_at desc offset ${limit - 1}
      limit 1)`

const capRow = z.object({ items: bigCount, links_wait: bigCount.nullable() })
type CapRow = z.output<typeof capRow>

/**
 * Which limits prevent one more link of the user. After `lockLinks`, no other request of the user changes the result.
 */
export const selectLinkCaps = ({ linksPerDay }: LinkCaps, exchangeTimeoutSeconds: number) =>
  query(
    capRow,
    sql`select ${liveItems(me)} + ${inProgress(exchangeTimeoutSeconds)} as items,
      ${untilFewer('link_exchanges', linksPerDay)} as links_wait`,
  )

/** The same as a condition: whether the user may link once more. */
export const mayLink = ({ itemsPerUser, linksPerDay }: LinkCaps, exchangeTimeoutSeconds: number): SQL =>
  sql`${liveItems(me)} + ${inProgress(exchangeTimeoutSeconds)} < ${itemsPerUser}
    and ${untilFewer('link_exchanges', linksPerDay)} is null`

export function reachedIn(row: CapRow | undefined, { itemsPerUser, linksPerDay }: LinkCaps): Reached | null {
  if (row === undefined) return null
  if (row.items >= itemsPerUser) return { kind: 'too_many_items', limit: itemsPerUser }
  return row.links_wait === null ? null : tooManyLinks(linksPerDay, row.links_wait)
}

const tooManyLinks = (limit: number, wait: number): Reached => ({
  kind: 'too_many_links',
  limit,
  retryAfterSeconds: Math.max(1, wait),
})

/** Seconds until the user may have one more link token; null for now. */
const tokensWait = ({ linksPerDay }: LinkCaps): SQL => untilFewer('link_sessions', linksPerDay * tokensPerLink)
/**
 * Seconds until the user may have one more hosted page; null for now. A page counts until its link token expires or its
 * session ends.
 */
const hostedWait = sql`(select ceil(extract(epoch from expires_at - now())) from link_sessions
  where user_id = ${me} and token_sealed is not null and finished_at is null and expires_at > now()
  order by expires_at desc offset ${hostedSessions - 1} limit 1)`

export interface WantedSession {
  /** Whether Link adds a bank; false in update mode. */
  readonly isNew: boolean
  readonly hosted: boolean
}

/** Whether one more session is allowed. Requires `lockLinks`. */
export const maySession = (caps: LinkCaps, hosted: boolean): SQL =>
  sql`${tokensWait(caps)} is null and (${!hosted} or ${hostedWait} is null)`

const sessionCapRow = z.object({ tokens_wait: bigCount.nullable(), hosted_wait: bigCount.nullable() })

/** The limit that prevents one more link token of the user; null if there is none. */
export async function capsReached(
  database: ApiDatabase,
  identity: Identity,
  caps: LinkCaps,
  { isNew, hosted }: WantedSession,
): Promise<Reached | null> {
  const { links, sessions } = await asUser(database, identity, {
    links: selectLinkCaps(caps, 0),
    sessions: query(sessionCapRow, sql`select ${tokensWait(caps)} as tokens_wait, ${hostedWait} as hosted_wait`),
  })
  const reached = isNew ? reachedIn(links[0], caps) : null
  const { tokens_wait: tokens = null, hosted_wait: pages = null } = sessions[0] ?? {}
  if (reached !== null) return reached
  if (tokens !== null) return tooManyLinks(caps.linksPerDay * tokensPerLink, tokens)
  return hosted && pages !== null ? tooManyLinks(hostedSessions, pages) : null
}

/** Rolls back the batch if the user has reached the limit of live items. Requires the lock on the user's row. */
export const refuseOverCap = (userId: string, { itemsPerUser }: LinkCaps, unless: SQL = sql`false`) =>
  command(
    sql`select ${refuseWhen(
      sql`not (${unless}) and ${liveItems(sql`${userId}::uuid`)} >= ${itemsPerUser}`,
      sqlState.itemCapReached,
    )}`,
  )
