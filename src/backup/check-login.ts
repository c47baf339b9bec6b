// Refuses a login with which a backup would be incomplete, or which may do more than read.
import { countRow, hiddenTables, nameRow, writableTables } from '../db/operations/backup-rights.ts'
import { type Connection, select } from './connection.ts'

/** Rejects where the login does not see every row of every table, or a sequence. */
export async function refuseBlind(connection: Connection): Promise<void> {
  const hidden = await select(connection, nameRow, hiddenTables)
  if (hidden.length === 0) return
  const names = hidden.map(({ name }) => name).join(', ')
  throw new Error(`The login does not see every row of ${names}: a migration must call app.let_backup_read().`)
}

/** Rejects where the login may change data: the Worker needs one that reads. */
export async function refuseWriter(connection: Connection): Promise<void> {
  const [found] = await select(connection, countRow, writableTables)
  if (found?.count !== 0) throw new Error('The login for backups may change data: take the one of db:bootstrap.')
}
