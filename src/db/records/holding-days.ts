// Positions day by day: what was held at the end of each day, as it was last told on it (UTC). Statements' parts and
// queries.
import { type SQL, sql } from 'drizzle-orm'
import type { Lease } from '../sync/work.ts'

/**
 * The parts of a holdings merge that keep today's positions in step with its `incoming`: what is not held any more
 * has no row for today, earlier days stay. As CTEs of one statement, so that both see the same snapshot.
 */
export function keepHoldingDay(lease: Lease): SQL {
  const today = sql`(now() at time zone 'UTC')::date`
  return sql`day_gone as (
        delete from holding_days d where d.day = ${today}
          and d.account_id = any(array(select id from accounts where item_id = ${lease.itemId}))
          and not exists (select 1 from incoming i where i.account_id = d.account_id and i.security_id = d.security_id)
      ), day_kept as (
        insert into holding_days as d (account_id, security_id, day, user_id, quantity, institution_price,
          institution_value,
          cost_basis, iso_currency_code, unofficial_currency_code)
        select account_id, security_id, ${today}, ${lease.userId}::uuid, "quantity", "institutionPrice",
          "institutionValue",
          "costBasis", "isoCurrencyCode", "unofficialCurrencyCode" from incoming order by account_id, security_id
        on conflict (account_id, day, security_id) do update set quantity = excluded.quantity,
          institution_price = excluded.institution_price, institution_value = excluded.institution_value,
          cost_basis = excluded.cost_basis, iso_currency_code = excluded.iso_currency_code,
          unofficial_currency_code = excluded.unofficial_currency_code
        where (d.quantity, d.institution_price, d.institution_value, d.cost_basis, d.iso_currency_code,
          d.unofficial_currency_code)
          is distinct from (excluded.quantity, excluded.institution_price, excluded.institution_value,
            excluded.cost_basis,
            excluded.iso_currency_code, excluded.unofficial_currency_code)
      )`
}
