// Readiness signs in as the login of the backups.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { AppError } from '../../errors.ts'
import { batch, connect } from '../core/client.ts'
import { query } from '../core/statement.ts'
import { countRow, hiddenTables, nameRow, writableTables } from './backup-rights.ts'
import { rolesToTest, whileReadinessWaits } from './health.ts'

const rolesRow = z.object({ acts: z.boolean(), others: z.array(z.string()) })

/** Signs in as the login of the backups. The problems as of `checkDatabase`. */
export async function checkBackupLogin(
  url: string,
  endpoint: string | null,
): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const asked = batch(connect('wn_backup', url, endpoint), {
      roles: query(
        rolesRow,
        sql`select pg_has_role(current_user, 'wn_backup', 'usage') as acts,
          array(select r from unnest(${`{${rolesToTest.join(',')}}`}::text[]) r
            where r <> 'wn_backup' and pg_has_role(current_user, r, 'usage')) as others`,
      ),
      hidden: query(nameRow, sql.raw(hiddenTables)),
      writable: query(countRow, sql.raw(writableTables)),
    })
    const { roles, hidden, writable } = await whileReadinessWaits(asked)
    const problems = [
      ...roles.flatMap(({ acts, others }) => [
        ...(acts ? [] : ['The login lacks the rights of wn_backup.']),
        ...others.map((other) => `The login has the rights of ${other}.`),
      ]),
      ...hidden.map(({ name }) => `The login does not see every row of ${name}.`),
      ...(writable.some(({ count }) => count > 0) ? ['The login may change data.'] : []),
    ]
    return { ok: problems.length === 0, problems }
  } catch (error) {
    const isSilent = error instanceof AppError && error.code === 'unavailable'
    return { ok: false, problems: [isSilent ? 'The database does not answer.' : 'The database is not set up.'] }
  }
}
