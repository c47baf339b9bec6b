// What a restored database needs before a Worker may use it: it is older than the banks, than Plaid, and than its users.
import type { Client } from 'pg'
import { migrate, withMigrationLock, inTransaction } from '../../dev/lib/migrate.ts'

const statements = [
  // Items that were linked after the backup are in Plaid's list and not here. Ending them would lose the only way back.
  `update safety_switches set state = 'report', changed_at = now() where name = 'orphan_removal' and state = 'end'`,
  // A session that was ended after the backup must not come back. Users sign in again.
  'delete from identity.sessions',
  // A run that held a lease at the time of the backup has ended.
  `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = now(), lease_owner = null,
    lease_expires_at = null, woken_until = null`,
]

async function settleRows(client: Client): Promise<void> {
  for (const statement of statements) await client.query(statement)
}

/** Brings a loaded database to this version's schema, and makes it safe to use. `into` is the owner's URL. */
export async function settle(into: string): Promise<void> {
  await migrate(into)
  await withMigrationLock(into, (client) => inTransaction(client, () => settleRows(client)))
}
