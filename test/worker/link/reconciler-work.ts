// Work of the reconciler, inserted without Plaid.
import { createSecret } from '../../../src/crypto/secret.ts'
import { sealAccessToken } from '../../../src/custody/access-token.ts'
import type { World } from '../../support/world.ts'

/** Inserts work in the world of a test file. */
export function reconcilerWork(world: () => World) {
  /** Users with a Plaid user whose items were never compared. */
  const knownUsers = (count: number) =>
    world().sql(`insert into users (issuer, subject, plaid_user_id)
      select 'reconcile', n::text, 'plaid-' || n from generate_series(1, ${count}) n`)

  /** Due hosted sessions of a user. The more there are, the longer they have been due. */
  const dueSessions = (subject: string, count: number) =>
    world().sql(
      `with u as (insert into users (issuer, subject) values ('reconcile', $1) returning id)
        insert into link_sessions (id, user_id, token_digest, token_sealed, expires_at, check_at)
        select gen_random_uuid(), u.id, $1 || n, 'sealed', now() + interval '1 hour', now() - $2::int * interval '1 minute' + n * interval '1 second'
        from u, generate_series(1, $2::int) n`,
      [subject, count],
    )

  /** Exchanges of a user whose responses were lost. */
  const startedExchanges = (subject: string, count: number) =>
    world().sql(
      `with u as (insert into users (issuer, subject, plaid_user_id) values ('reconcile', $1, 'plaid-' || $1) returning id)
        insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, next_attempt_at)
        select gen_random_uuid(), u.id, $1 || n, false, 'started', now() - interval '1 minute' from u, generate_series(1, $2::int) n`,
      [subject, count],
    )

  /** An exchange whose token is stored and whose item is not. */
  async function keptExchange(subject: string): Promise<void> {
    const [row] = await world().sql(
      `insert into users (issuer, subject) values ('reconcile', $1) returning id, gen_random_uuid() as exchange_id`,
      [subject],
    )
    const [userId, id] = [String(row?.['id']), String(row?.['exchange_id'])]
    const sealed = await sealAccessToken(world().services.keyring, createSecret('not a token'), { userId, itemId: id })
    await world().sql(
      `insert into link_exchanges (id, user_id, public_token_digest, allow_duplicate, state, plaid_item_id, access_token_sealed, plaid_user_id, next_attempt_at)
        values ($1, $2, $3, false, 'exchanged', $3, $4, 'usr_' || $3, now() - interval '1 minute')`,
      [id, userId, subject, sealed],
    )
  }

  /** An item of a new user, named by Plaid's id, with a product that is not dirty. */
  async function itemOf(plaidItemId: string, set: string): Promise<void> {
    const [row] = await world().sql(
      `with u as (insert into users (issuer, subject) values ('reconcile', $1) returning id)
        insert into items (user_id, plaid_item_id, access_token_sealed) select id, $1, '' from u returning id, user_id`,
      [plaidItemId],
    )
    await world().sql(
      `insert into item_products (item_id, user_id, product, status, dirty_seq, synced_seq) values ($1, $2, 'item', 'ok', 1, 1)`,
      [row?.['id'], row?.['user_id']],
    )
    const [userId, itemId] = [String(row?.['user_id']), String(row?.['id'])]
    const sealed = await sealAccessToken(world().services.keyring, createSecret('not a token'), { userId, itemId })
    await world().sql(`update items set access_token_sealed = $2, ${set} where id = $1`, [itemId, sealed])
  }

  return { knownUsers, dueSessions, startedExchanges, keptExchange, itemOf }
}
