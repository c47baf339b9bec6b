// The balances of an account by day: the reported ones, and the estimates of the days before.
import { and, eq, sql } from 'drizzle-orm'
import * as z from 'zod'
import { accounts } from '../../../drizzle/tables/accounts.ts'
import type { ApiDatabase } from '../core/client.ts'
import { ofShownItem } from '../core/columns.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { query } from '../core/statement.ts'
import { type EstimateEnd, estimateEnds, estimateParts } from './estimates.ts'

const dayBalance = z.object({
  day: z.string(),
  current: z.string().nullable(),
  available: z.string().nullable(),
  limit: z.string().nullable(),
  currency: z.string().nullable(),
  /** Null for an estimate. */
  as_of: z.string().nullable(),
  estimated: z.boolean(),
})
export type DayBalance = z.output<typeof dayBalance>

const balanceRow = z.object({ balance: dayBalance })
/** Each row has the span of the estimates; a row without a day says only that. */
const estimateRow = z.object({
  estimated_from: z.string().nullable(),
  estimate_ends: z.enum(estimateEnds).nullable(),
  balance: dayBalance.nullable(),
})

export interface DayBalances {
  readonly rows: readonly DayBalance[]
  readonly next: string | null
  readonly estimatedFrom: string | null
  readonly estimateEnds: EstimateEnd | null
}

export interface BalanceWindow {
  readonly from: string | null
  readonly to: string | null
  readonly limit: number
  /** The page starts after this day. */
  readonly after: string | null
}

/** A row of the columns `day`, `current`, `available`, `credit_limit`, `currency`, `as_of` and `estimated` of `d`. */
const asBalance = sql.raw(`jsonb_build_object('day', d.day, 'current', trim_scale(d.current)::text,
    'available', trim_scale(d.available)::text, 'limit', trim_scale(d.credit_limit)::text, 'currency', d.currency,
    'estimated', d.estimated, 'as_of', to_char(d.as_of at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`)
const currency = sql.raw('coalesce(iso_currency_code, unofficial_currency_code) as currency')

/**
 * An account's balance day by day, oldest first; null if the account does not belong to the user. Days before the first
 * reported one are estimated (../read/estimates.ts), each of them; later days without a report are left out.
 */
export async function listBalances(
  database: ApiDatabase,
  identity: Identity,
  accountId: string,
  { from, to, after, limit }: BalanceWindow,
): Promise<DayBalances | null> {
  const { connection } = database
  const first = sql`coalesce(greatest(${from}::date, ${after}::date + 1), '-infinity')`
  const last = sql`coalesce(${to}::date, 'infinity')`
  const chosen = sql`select id, type from accounts where id = ${accountId}::uuid and user_id = ${me}`
  const { owned, reported, estimated } = await pageAsUser(database, identity, {
    owned: connection
      .select({ id: accounts.id })
      .from(accounts)
      .where(and(eq(accounts.userId, me), ofShownItem(accounts.itemId), eq(accounts.id, accountId))),
    reported: query(
      balanceRow,
      sql`select ${asBalance} as balance from (
          select day, current, available, credit_limit, ${currency}, as_of, false as estimated from account_balances
          where account_id = ${accountId}::uuid and user_id = ${me} and day between ${first} and ${last}
          order by day limit ${limit + 1}
        ) d`,
    ),
    estimated: query(
      estimateRow,
      sql`with ${estimateParts(chosen, first)}, estimated as (
          select d::date as day, amount as current, null::numeric as available, null::numeric as credit_limit,
            ${currency}, null::timestamptz as as_of, true as estimated
          from (select *, lead(day, 1, (select day from estimate_spans)) over (order by day) as until from estimates) e
          cross join lateral generate_series(greatest(day, ${first})::timestamp,
            least(until - 1, ${last})::timestamp, '1 day') d
          order by d limit ${limit + 1}
        )
        select s.estimated_from::text as estimated_from, s.ends as estimate_ends,
          case when d.day is not null then ${asBalance} end as balance
        from estimate_spans s left join estimated d on true order by d.day`,
    ),
  })
  if (owned.length === 0) return null
  // Each estimated day is before all reported ones.
  const rows = [...estimated, ...reported].flatMap(({ balance }) => (balance === null ? [] : [balance]))
  const end = rows.length > limit ? rows[limit - 1] : undefined
  return {
    rows: rows.slice(0, limit),
    next: end?.day ?? null,
    estimatedFrom: estimated[0]?.estimated_from ?? null,
    estimateEnds: estimated[0]?.estimate_ends ?? null,
  }
}
