// What the login of a backup may do. A row-level policy or a missing right that hid rows would make a backup incomplete
// without an error.
import * as z from 'zod'
import { isOurs } from './catalog.ts'
import { type Connection, select } from './connection.ts'

const nameRow = z.object({ name: z.string() })

/** Condition on `pg_policy p`: it applies to what the login selects. */
const applies = `p.polrelid = c.oid and p.polcmd in ('r', '*')
  and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role(current_user, r, 'usage'))`

/** Rejects where the login does not see every row of every table, or a sequence. */
export async function refuseBlind(connection: Connection): Promise<void> {
  const hidden = await select(
    connection,
    nameRow,
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where not c.relispartition and (${isOurs} or n.nspname = 'drizzle') and case
        when c.relkind = 'S' then not has_sequence_privilege(c.oid, 'select')
        when c.relkind in ('r', 'p') then not has_schema_privilege(n.oid, 'usage') or not has_table_privilege(c.oid, 'select')
          or row_security_active(c.oid) and (
            not exists (select from pg_policy p
              where ${applies} and p.polpermissive and pg_get_expr(p.polqual, p.polrelid) = 'true')
            or exists (select from pg_policy p where ${applies} and not p.polpermissive))
        else false end
      order by 1`,
  )
  if (hidden.length === 0) return
  const names = hidden.map(({ name }) => name).join(', ')
  throw new Error(`The login does not see every row of ${names}: a migration must call app.let_backup_read().`)
}

const countRow = z.object({ count: z.coerce.number() })

/** Rejects where the login may change data: the Worker needs one that reads. */
export async function refuseWriter(connection: Connection): Promise<void> {
  const [found] = await select(
    connection,
    countRow,
    `select count(*) as count from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${isOurs} and c.relkind in ('r', 'p', 'v', 'm', 'f') and (has_table_privilege(c.oid, 'insert, update, delete, truncate')
        or has_any_column_privilege(c.oid, 'insert, update'))`,
  )
  if (found?.count !== 0) throw new Error('The login for backups may change data: take the one of db:bootstrap.')
}
