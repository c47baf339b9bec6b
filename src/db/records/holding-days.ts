// Holdings by day: those at the end of each UTC day, as Plaid last reported them on that day.
import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { holdingDays } from '../../../drizzle/tables/investments.ts'
import { entity, upsert } from '../core/record.ts'
import type { Lease } from '../sync/work.ts'

const holdingDay = entity({
  ids: {},
  table: getTableColumns(holdingDays),
  own: ['accountId', 'securityId', 'day', 'userId'],
})

/**
 * CTEs of a holdings merge that make today's rows equal to its `incoming`. Earlier days stay. Part of the same
 * statement, so that both see the same snapshot.
 */
export function keepHoldingDay(lease: Lease): SQL {
  const today = sql`(now() at time zone 'UTC')::date`
  return sql`day_gone as (
        delete from holding_days d where d.day = ${today}
          and d.account_id = any(array(select id from accounts where item_id = ${lease.itemId}))
          and not exists (
            select 1 from incoming i where i.account_id = d.account_id and i.security_id = d.security_id)
      ), day_kept as (${upsert(holdingDay, {
        table: 'holding_days',
        as: 'd',
        own: {
          account_id: sql`account_id`,
          security_id: sql`security_id`,
          day: today,
          user_id: sql`${lease.userId}::uuid`,
        },
        key: ['account_id', 'day', 'security_id'],
        from: sql`incoming`,
        order: ['account_id', 'security_id'],
      })})`
}
