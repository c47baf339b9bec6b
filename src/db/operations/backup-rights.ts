// What the login of the backups may do, asked by a backup before it reads and by readiness. A row-level policy or a
// missing right that hid rows would make a backup incomplete without an error. Plain text, because the command loads no
// drizzle: that would need more memory than a backup.
import * as z from 'zod'

/** Condition on `pg_namespace n`: schemas of this project. The history of migrations is in the manifest instead. */
export const isOurs = String.raw`n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'drizzle')`

/** Condition on `pg_policy p`: it applies to what the login selects. */
const applies = `p.polrelid = c.oid and p.polcmd in ('r', '*')
  and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role(current_user, r, 'usage'))`

/** The names of tables of which the login does not see every row, and of sequences that it does not read. */
export const hiddenTables = `select n.nspname || '.' || c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where not c.relispartition and (${isOurs} or n.nspname = 'drizzle') and case
        when c.relkind = 'S' then not has_sequence_privilege(c.oid, 'select')
        when c.relkind in ('r', 'p') then not has_schema_privilege(n.oid, 'usage')
          or not has_table_privilege(c.oid, 'select')
          or row_security_active(c.oid) and (
            not exists (select from pg_policy p
              where ${applies} and p.polpermissive and pg_get_expr(p.polqual, p.polrelid) = 'true')
            or exists (select from pg_policy p where ${applies} and not p.polpermissive))
        else false end
      order by 1`

/** How many tables and views the login may change. */
export const writableTables = `select count(*) as count from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${isOurs} and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and (has_table_privilege(c.oid, 'insert, update, delete, truncate')
        or has_any_column_privilege(c.oid, 'insert, update'))`

export const nameRow = z.object({ name: z.string() })
export const countRow = z.object({ count: z.coerce.number() })
