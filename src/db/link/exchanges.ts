// Exchanges of public tokens as intents: stored before Plaid is called, and ended in the same transaction as their
// result. An exchange that never ended can be resumed.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, type ApiDatabase, batch, type JobsDatabase } from '../core/client.ts'
import { type KnownAccount, selectKnownAccounts } from '../records/known-accounts.ts'
import { type LinkCaps, lockLinks, mayLink, type Reached, reachedIn, selectLinkCaps, trimLinks } from './caps.ts'
import { duringFreeze } from '../operations/freeze.ts'
import { isOpen, openStates } from '../operations/open-exchanges.ts'
import { asNewUser, asUser, type Identity, me } from '../core/scope.ts'
import { idsInTurns } from '../core/turns.ts'
import { anyRow, command, idRow, query } from '../core/statement.ts'
import { allows } from '../privacy/consents.ts'

/** Longer than a request can last, so that the reconciler does not resume an exchange whose request still runs. */
export const exchangeTimeoutSeconds = 300

const exchangeStates = [...openStates, 'linked', 'duplicate', 'refused', 'given_back', 'lost'] as const
export type ExchangeState = (typeof exchangeStates)[number]

/** An exchange whose access token is stored. */
export interface Exchange {
  /** Also the id of the resulting item, to which the token's seal is bound. */
  readonly id: string
  readonly userId: string
  readonly plaidItemId: string
  readonly sealedToken: string
  readonly allowDuplicate: boolean
  /** Plaid's id of the user for whom Plaid must list the item; null if the link token contained none. */
  readonly plaidUserId: string | null
}

export interface EarlierExchange {
  readonly state: ExchangeState
  /** The item that was created, or that this one duplicates. */
  readonly itemId: string | null
  /** Set while its access token is stored. */
  readonly exchange: Exchange | null
}

const exchangeRow = z.object({
  id: z.string(),
  user_id: z.string(),
  state: z.enum(exchangeStates),
  item_id: z.string().nullable(),
  plaid_item_id: z.string().nullable(),
  access_token_sealed: z.string().nullable(),
  allow_duplicate: z.boolean(),
  plaid_user_id: z.string().nullable(),
})
type ExchangeRow = z.output<typeof exchangeRow>

function exchangeOf(row: ExchangeRow): Exchange | null {
  const { plaid_item_id: plaidItemId, access_token_sealed: sealedToken } = row
  if (plaidItemId === null || sealedToken === null) return null
  return {
    id: row.id,
    userId: row.user_id,
    plaidItemId,
    sealedToken,
    allowDuplicate: row.allow_duplicate,
    plaidUserId: row.plaid_user_id,
  }
}

export interface NewExchange {
  readonly id: string
  readonly publicTokenDigest: string
  /** The link token that Link was opened with; null if the client does not send it. */
  readonly linkTokenDigest: string | null
  readonly allowDuplicate: boolean
}

const earlierOf = (row: ExchangeRow): EarlierExchange => ({
  state: row.state,
  itemId: row.item_id,
  exchange: row.state === 'exchanged' ? exchangeOf(row) : null,
})

const findEarlier = (publicTokenDigest: string) =>
  query(
    exchangeRow,
    sql`select id, user_id, state, item_id, plaid_item_id, access_token_sealed, allow_duplicate, plaid_user_id
      from link_exchanges
      where public_token_digest = ${publicTokenDigest} and user_id = ${me}`,
  )

/** The result of starting an exchange. Only `begun` writes a row. */
export type Beginning =
  /** With the user's accounts, and Plaid's id of the user if the link token contained it. */
  | {
      readonly kind: 'begun'
      readonly userId: string
      readonly plaidUserId: string | null
      readonly known: readonly KnownAccount[]
    }
  /** The link token belongs to another user. */
  | { readonly kind: 'not_owned' }
  /** The user does not allow linking. */
  | { readonly kind: 'not_allowed' }
  /** The user has reached a limit of items or links. */
  | { readonly kind: 'capped'; readonly reached: Reached }
  /** The same public token was exchanged before. */
  | { readonly kind: 'earlier'; readonly earlier: EarlierExchange }

const checkedRow = z.object({ is_owned: z.boolean(), is_allowed: z.boolean() })

const begunRow = z.object({ user_id: z.string(), plaid_user_id: z.string().nullable() })

/**
 * Writes the intent, in one round trip with all checks that can refuse it. Creates the user's row if there is none. A
 * public token of another user is `earlier`, and refused.
 */
export async function beginExchange(
  database: ApiDatabase,
  identity: Identity,
  { id, publicTokenDigest, linkTokenDigest, allowDuplicate }: NewExchange,
  caps: LinkCaps,
): Promise<Beginning> {
  const isOwned = sql`(${linkTokenDigest}::text is null
    or exists (select 1 from link_sessions where token_digest = ${linkTokenDigest} and user_id = ${me}))`
  const isAllowed = allows('linking_and_sync')
  const { checked, accounts, counted, begun, found } = await asNewUser(database, identity, {
    // Of two concurrent requests, the second counts the exchange of the first.
    locked: lockLinks(),
    trimmed: trimLinks(),
    checked: query(checkedRow, sql`select ${isOwned} as is_owned, ${isAllowed} as is_allowed`),
    accounts: selectKnownAccounts(me),
    counted: selectLinkCaps(caps, exchangeTimeoutSeconds),
    begun: query(
      begunRow,
      sql`insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, plaid_user_id, next_attempt_at)
        select ${id}::uuid, ${me}, ${publicTokenDigest}::text, ${allowDuplicate}::boolean,
          (select plaid_user_id from link_sessions where token_digest = ${linkTokenDigest}
            and user_id = ${me}), now() + make_interval(secs => ${exchangeTimeoutSeconds})
        where ${isOwned} and ${isAllowed} and ${mayLink(caps, exchangeTimeoutSeconds)} on conflict do nothing
          returning user_id, plaid_user_id`,
    ),
    // After the insert, which waits for a concurrent request with the same token: its row is visible only then.
    found: findEarlier(publicTokenDigest),
  })
  const [started, row] = [begun[0], found[0]]
  if (started !== undefined) {
    const { user_id: userId, plaid_user_id: plaidUserId } = started
    return { kind: 'begun', userId, plaidUserId, known: accounts }
  }
  if (checked[0]?.is_owned !== true) return { kind: 'not_owned' }
  if (row !== undefined) return { kind: 'earlier', earlier: earlierOf(row) }
  if (!checked[0].is_allowed) return { kind: 'not_allowed' }
  const reached = reachedIn(counted[0], caps)
  if (reached !== null) return { kind: 'capped', reached }
  return { kind: 'earlier', earlier: { state: 'refused', itemId: null, exchange: null } }
}

/**
 * Stores the token of Plaid's response before anything else is done with it. Idempotent, also if the exchange was
 * resumed elsewhere.
 */
export async function storeExchangedToken(
  database: ApiDatabase,
  identity: Identity,
  exchange: Exchange,
  audit: AuditRow,
): Promise<void> {
  const { kept } = await asUser(database, identity, {
    pass: duringFreeze,
    stored: query(
      anyRow,
      sql`update link_exchanges set state = 'exchanged', plaid_item_id = ${exchange.plaidItemId},
          access_token_sealed = ${exchange.sealedToken}, updated_at = now(),
          next_attempt_at = now() + make_interval(secs => ${exchangeTimeoutSeconds})
        where id = ${exchange.id} and user_id = ${me} and state = 'started' returning ${recorded(audit)}`,
    ),
    kept: query(
      idRow,
      sql`select id from link_exchanges
        where id = ${exchange.id} and user_id = ${me} and plaid_item_id = ${exchange.plaidItemId}`,
    ),
  })
  if (kept.length === 0) throw new TypeError('the exchange had ended')
}

/**
 * Ends an exchange without an access token: the public token is invalid, or was not used. `forget` allows another
 * attempt.
 */
export async function endUnexchanged(
  database: ApiDatabase,
  identity: Identity,
  id: string,
  end: 'refused' | 'forget',
): Promise<void> {
  const mine = sql`id = ${id} and user_id = ${me} and state = 'started'`
  await asUser(database, identity, {
    pass: duringFreeze,
    ended: command(
      end === 'forget'
        ? sql`delete from link_exchanges where ${mine}`
        : sql`update link_exchanges set state = 'refused', updated_at = now() where ${mine}`,
    ),
  })
}

export interface DueExchange {
  readonly id: string
  readonly userId: string
  readonly identity: Identity
  /** Plaid's id of the user; null if Plaid returned none. */
  readonly plaidUserId: string | null
  readonly attempts: number
  /** Null if there was no response. */
  readonly exchange: Exchange | null
}

const dueRow = exchangeRow.extend({
  issuer: z.string(),
  subject: z.string(),
  current_plaid_user_id: z.string().nullable(),
  attempts: z.number(),
})

/** Claims exchanges that have not ended. Each claim postpones the next one, longer each time. */
export async function claimExchanges(jobs: JobsDatabase, limit: number): Promise<DueExchange[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      dueRow,
      sql`update link_exchanges x set attempts = x.attempts + 1,
          next_attempt_at = now() + least(interval '6 hours', make_interval(secs => ${exchangeTimeoutSeconds}) * 2 ^
            least(x.attempts, 10))
        from users u where u.id = x.user_id and x.id in (
          ${idsInTurns('link_exchanges', sql`${isOpen} and next_attempt_at <= now()`, 'next_attempt_at', limit)})
        returning x.id, x.user_id, x.state, x.item_id, x.plaid_item_id, x.access_token_sealed, x.allow_duplicate,
          x.plaid_user_id,
          u.issuer, u.subject, u.plaid_user_id as current_plaid_user_id, x.attempts`,
    ),
  })
  return claimed.map((row) => ({
    id: row.id,
    userId: row.user_id,
    identity: { issuer: row.issuer, subject: row.subject },
    plaidUserId: row.current_plaid_user_id,
    attempts: row.attempts,
    exchange: exchangeOf(row),
  }))
}

/** Makes exchanges that were claimed and not attempted due again. The claim does not count as an attempt. */
export async function releaseExchanges(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await execute(jobs, [
    command(sql`update link_exchanges set attempts = attempts - 1, next_attempt_at = now()
        where id = any(${sql.param(ids)}::uuid[]) and ${isOpen} and attempts > 0`),
  ])
}

/** The attempt failed, and the exchange stays open. `error` is Plaid's error code, or one of this project. */
export async function noteExchangeFailure(jobs: JobsDatabase, id: string, error: string): Promise<void> {
  await execute(jobs, [command(sql`update link_exchanges set last_error = ${error} where id = ${id} and ${isOpen}`)])
}

/** There was no response, and Plaid cannot be asked what happened, because the user has no Plaid user id. */
export async function loseExchange(jobs: JobsDatabase, id: string): Promise<void> {
  await execute(jobs, [
    command(sql`update link_exchanges set state = 'lost', updated_at = now() where id = ${id} and state = 'started'`),
  ])
}
