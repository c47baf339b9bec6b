// What a restored database needs before a Worker may use it: it is older than the banks, than Plaid, and than its users.
import type { Client } from 'pg'
import * as z from 'zod'
import { LOCAL_ISSUER } from '../../auth/access-token.ts'
import { select } from '../../backup/connection.ts'
import type { Tombstone } from '../../backup/tombstones.ts'
import { migrate, withMigrationLock } from '../../dev/lib/migrate.ts'
import { inTransaction } from '../../dev/lib/owner-session.ts'

/** Higher than the number of changes that a user can have had after the backup. */
const feedGap = 1_000_000_000

/** What each statement does, as the command prints it with the number of rows. */
const statements = [
  // Items that were linked after the backup are in Plaid's list and not here. Ending them would lose the only way back.
  {
    did: 'Switches of orphan removal set to report',
    sql: `update safety_switches set state = 'report', changed_at = now() where name = 'orphan_removal' and state = 'end'`,
  },
  // A session that was ended after the backup must not come back. Users sign in again.
  { did: 'Sessions ended', sql: 'delete from identity.sessions' },
  // A run that held a lease at the time of the backup has ended.
  {
    did: 'Products to sync',
    sql: `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), lease_owner = null,
      lease_expires_at = null, woken_until = null`,
  },
  // Clients that store a copy have read numbers that the backup does not know: each gets 410 and starts again. The epoch is
  // for the feed of everything, in case the same backup is restored twice.
  {
    did: 'Users whose change feed begins again',
    sql: `update users set change_seq = change_seq + ${feedGap}, changes_from = change_seq + ${feedGap},
      feed_from = change_seq + ${feedGap}, feed_epoch = floor(random() * 2147483647)::integer`,
  },
  // The bucket may be another one now, or have lost them.
  {
    did: 'Erasures to copy into the bucket again',
    sql: 'update erasures set copied_at = null where copied_at is not null',
  },
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
    select distinct on (u.id) e.id, u.id, e.subject_hash, e.requested_at
    from ${erased} join users u on app.subject_hash(u.issuer, u.subject) = e.subject_hash and u.created_at <= e.requested_at
    order by u.id, e.requested_at desc on conflict do nothing`,
  `update users set tokens_valid_from = 'infinity'
    where id in (select user_id from erasures where completed_at is null) and exists (select from ${erased})`,
  // Whom the backup does not have: tokens from before the erasure stay refused.
  `insert into erasures (id, subject_hash, requested_at, completed_at)
    select e.id, e.subject_hash, e.requested_at, now() from ${erased}
    where not exists (select from erasures x where x.subject_hash = e.subject_hash and x.requested_at >= e.requested_at)
    on conflict do nothing`,
]

export interface Settle {
  readonly people: readonly Tombstone[]
  /** Writes the row of the audit trail in the same transaction. */
  readonly record: (client: Client) => Promise<void>
  /** Rejects where the database must not be changed. */
  readonly check?: (client: Client) => Promise<void>
}

/** What was done, a line each. */
export type Settled = readonly string[]

async function settleRows(client: Client, { people, record, check }: Settle): Promise<Settled> {
  await check?.(client)
  const done: string[] = []
  for (const { did, sql } of statements) done.push(`${did}: ${(await client.query(sql)).rowCount ?? 0}.`)
  for (const statement of erasing) await client.query(statement, [JSON.stringify(people)])
  await record(client)
  const { rowCount } = await client.query('select from erasures where completed_at is null')
  return [...done, `Erasures in the list: ${people.length}.`, `Erasures that the Worker completes: ${rowCount ?? 0}.`]
}

/** Brings a loaded database to this version's schema, and makes it safe to use. `into` is the owner's URL. */
export async function settle(into: string, given: Settle): Promise<Settled> {
  await migrate(into)
  return await withMigrationLock(into, (client) => inTransaction(client, () => settleRows(client, given)))
}

const foundRow = z.object({ migrations: z.boolean(), trail: z.boolean() })
const settledRow = z.object({ at: z.date().nullable() })

/** A second run would end every session and make every client begin again. */
async function refuseSettled(client: Client): Promise<void> {
  const [row] = await select(
    client,
    settledRow,
    `select max(at) as at from audit_log where action = 'backup_restored' and at > now() - interval '1 day'`,
  )
  if (row?.at instanceof Date)
    throw new Error(
      `This database was settled at ${row.at.toISOString()}. Say --again if it was put back to an earlier state since.`,
    )
}

/** Rejects for a database without this project's tables, and for one that was settled within a day. */
async function refuseUnfit(client: Client, isAgain: boolean): Promise<void> {
  const [found] = await select(
    client,
    foundRow,
    `select to_regclass('drizzle.__drizzle_migrations') is not null as migrations,
      to_regclass('public.audit_log') is not null as trail`,
  )
  if (!found?.migrations) throw new Error('The database has no tables of this project: there is nothing to settle.')
  if (found.trail && !isAgain) await refuseSettled(client)
}

/** The same for a database that the provider has put back to an earlier state. */
export async function settleProvided(into: string, isAgain: boolean, given: Settle): Promise<Settled> {
  await withMigrationLock(into, (client) => refuseUnfit(client, isAgain))
  // Again in the transaction: two runs may have come this far.
  return await settle(into, { ...given, check: async (client) => (isAgain ? undefined : await refuseSettled(client)) })
}
