// Plaid API calls by day: counted in one statement, and read as a report with their cost. Counts and prices only, no
// users.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { command, query } from '../core/statement.ts'

export interface UsageCount {
  readonly endpoint: string
  /** `ok`, or the error's code. */
  readonly outcome: string
  readonly calls: number
}

export interface UsageRow extends UsageCount {
  /** UTC, `YYYY-MM-DD`. */
  readonly day: string
  /**
   * An estimate as decimal text: price × calls with a response, which are those that Plaid bills; null without a price.
   */
  readonly cost: string | null
}

export interface UsageReport {
  /** By day, endpoint and outcome, in this order. */
  readonly rows: readonly UsageRow[]
  readonly calls: number
  /** Decimal text: the sum of the rows' costs. */
  readonly cost: string
}

/** Endpoint → price of a call as decimal text, in the operator's currency. */
export type UsagePrices = Readonly<Record<string, string>>

/** Rows of one counter. Concurrent writers mostly use different rows, so they rarely wait. */
export const usageSlots = 16

/** Orders counters by key, so that all writers lock the rows in the same order. */
const byKey = (one: UsageCount, other: UsageCount): number => {
  const [left, right] = [`${one.endpoint} ${one.outcome}`, `${other.endpoint} ${other.outcome}`]
  return left < right ? -1 : Number(left > right)
}

/**
 * Adds to today's counters (UTC), all of them in the slot that `random` (0 ≤ x < 1) chooses.
 * @throws AppError `unavailable` or `internal` if they may not have been written
 */
export async function recordUsage(jobs: JobsDatabase, counts: readonly UsageCount[], random: number): Promise<void> {
  if (counts.length === 0) return
  const sorted = counts.toSorted(byKey)
  const slot = Math.floor(random * usageSlots)
  await execute(jobs, [
    command(sql`insert into plaid_usage as u (day, endpoint, outcome, slot, calls)
        select (now() at time zone 'utc')::date, endpoint, outcome, ${slot}::smallint, calls
        from unnest(${sql.param(sorted.map(({ endpoint }) => endpoint))}::text[],
          ${sql.param(sorted.map(({ outcome }) => outcome))}::text[],
          ${sql.param(sorted.map(({ calls }) => calls))}::bigint[]) with ordinality as c (endpoint, outcome, calls,
            place)
        order by place
        on conflict (day, endpoint, outcome, slot) do update set calls = u.calls + excluded.calls`),
  ])
}

const reportRow = z.object({
  day: z.string().nullable(),
  endpoint: z.string(),
  outcome: z.string(),
  calls: z.string().nullable(),
  cost: z.string().nullable(),
})

/** Calls from one day to another, inclusive (`YYYY-MM-DD`, UTC). Reads all rows of these days, a few hundred a day. */
export async function listUsage(
  jobs: JobsDatabase,
  { from, to }: { readonly from: string; readonly to: string },
  prices: UsagePrices,
): Promise<UsageReport> {
  const { found } = await batch(jobs, {
    found: query(
      reportRow,
      sql`with price as (
          select * from unnest(${sql.param(Object.keys(prices))}::text[],
            ${sql.param(Object.values(prices))}::numeric[]) as p (endpoint, price)
        ), counter as (
          select day, endpoint, outcome, sum(calls) as calls from plaid_usage
          -- A reservation of a paid call is no call: the call itself has a row, too.
          where day between ${from}::date and ${to}::date and outcome <> 'reserved' group by day, endpoint, outcome
        ), priced as (
          select c.*, case when c.outcome = 'ok' then c.calls * p.price when p.price is not null then 0 end as cost
          from counter c left join price p using (endpoint)
        )
        select day::text, coalesce(endpoint, '') as endpoint, coalesce(outcome, '') as outcome,
          sum(calls)::text as calls,
          trim_scale(sum(cost))::text as cost
        from priced group by grouping sets ((day, endpoint, outcome), ()) order by day nulls last,
          endpoint collate "C", outcome collate "C"`,
    ),
  })
  const total = found.at(-1)
  return {
    rows: found.flatMap(({ day, endpoint, outcome, calls, cost }) =>
      day === null ? [] : [{ day, endpoint, outcome, calls: Number(calls), cost }],
    ),
    calls: Number(total?.calls ?? 0),
    cost: total?.cost ?? '0',
  }
}
