// What a restored database needs before a Worker may use it: it is older than the banks, than Plaid, and than its users.
import type { Client } from 'pg'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import { migrate, withMigrationLock } from '../../dev/lib/migrate.ts'
import { inTransaction } from '../../dev/lib/owner-session.ts'
import type { Erased } from './erased.ts'

/** Higher than the number of changes that a user can have had after the backup. */
const feedGap = 1_000_000_000

const statements = [
  // Items that were linked after the backup are in Plaid's list and not here. Ending them would lose the only way back.
  `update safety_switches set state = 'report', changed_at = now() where name = 'orphan_removal' and state = 'end'`,
  // A session that was ended after the backup must not come back. Users sign in again.
  'delete from identity.sessions',
  // A run that held a lease at the time of the backup has ended.
  `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), lease_owner = null,
    lease_expires_at = null, woken_until = null`,
  // Clients that store a copy have read numbers that the backup does not know: each gets 410 and starts again. The epoch is
  // for the feed of everything, in case the same backup is restored twice.
  `update users set change_seq = change_seq + ${feedGap}, changes_from = change_seq + ${feedGap},
    feed_from = change_seq + ${feedGap}, feed_epoch = floor(random() * 2147483647)::integer`,
]

const erased = 'json_to_recordset($1::json) e (id uuid, subject_hash text, requested_at timestamptz)'

/** Erase again whom the backup still has; `$1` is the list. Who signed up again after an erasure is another user. */
const erasing = [
  // An account that had not linked anything has no row of `users`, from which an erasure begins.
  `insert into users (issuer, subject, created_at)
    select '${LOCAL_ISSUER}', a.id::text, a.created_at from identity.accounts a
    where exists (select from ${erased} where e.subject_hash = app.subject_hash('${LOCAL_ISSUER}', a.id::text))
    on conflict do nothing`,
  `insert into erasures (id, user_id, subject_hash, requested_at)
    select distinct on (u.id) gen_random_uuid(), u.id, e.subject_hash, e.requested_at
    from ${erased} join users u on app.subject_hash(u.issuer, u.subject) = e.subject_hash and u.created_at <= e.requested_at
    order by u.id, e.requested_at desc on conflict (user_id) do nothing`,
  `update users set tokens_valid_from = 'infinity'
    where id in (select user_id from erasures where completed_at is null) and exists (select from ${erased})`,
  // Whom the backup does not have: tokens from before the erasure stay refused.
  `insert into erasures (id, subject_hash, requested_at, completed_at)
    select e.id, e.subject_hash, e.requested_at, now() from ${erased}
    where not exists (select from erasures x where x.subject_hash = e.subject_hash and x.requested_at >= e.requested_at)
    on conflict do nothing`,
]

export interface Settle {
  readonly people: readonly Erased[]
  readonly record: (client: Client) => Promise<void>
}

/** `record` writes the row of the audit trail in the same transaction. */
async function settleRows(client: Client, { people, record }: Settle): Promise<number> {
  for (const statement of statements) await client.query(statement)
  for (const statement of erasing) await client.query(statement, [JSON.stringify(people)])
  await record(client)
  const { rowCount } = await client.query('select from erasures where completed_at is null')
  return rowCount ?? 0
}

/**
 * Brings a loaded database to this version's schema, and makes it safe to use. `into` is the owner's URL. Resolves with the
 * number of erasures that the Worker will complete.
 */
export async function settle(into: string, given: Settle): Promise<number> {
  await migrate(into)
  return await withMigrationLock(into, (client) => inTransaction(client, () => settleRows(client, given)))
}
