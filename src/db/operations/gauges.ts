// What the metrics say about the state of the database: counts and ages, never a row of a person. One round trip, every
// few minutes. Each statement reads an index or a small table, and the counts that an outage can make large end at a
// bound.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { byIndex, plan } from '../core/plans.ts'
import { bigCount, query } from '../core/statement.ts'
import { isOpen } from './open-exchanges.ts'
import { isDue } from '../sync/due.ts'
import { isResting } from '../sync/work.ts'

/** Counts end here: a larger number would not change what an operator does. */
export const mostCounted = 10_000
/** Stale rows of a product that are looked at, longest stale first. */
const mostStale = 20_000
/** An item that was not read for so long counts as not synced: the brief's criterion. */
const freshFor = sql.raw("interval '24 hours'")

const seconds = z.coerce.number()
const age = (column: string) => sql.raw(`greatest(0, extract(epoch from now() - ${column}))::float8`)

const statusRow = z.object({ status: z.string(), count: bigCount })
/** Reads one index of all items, without their rows. */
const itemsByStatus = query(statusRow, sql`select status, count(*) as count from items group by status`)

const staleRow = z.object({
  /** Null for all products together. */
  product: z.string().nullable(),
  products: bigCount,
  items: bigCount,
  /** How long after its day the product that was read longest ago is still not read. */
  overdue: seconds.nullable(),
})

/**
 * Whether a product `p` of a live item was not read for a day: refused ones and those of people who do not allow syncs
 * are no failures.
 */
const isStale = sql`not p.is_stopped and p.last_synced_at < now() - ${freshFor} and not ${isResting('p')}
  and (select not ('linking_and_sync' = any(u.not_allowed)) from users u where u.id = p.user_id)`

/**
 * Products that were not read for a day, and their items. An item whose bank is down is no failure of this deployment.
 */
const staleProducts = (products: readonly string[], most: number) =>
  query(
    staleRow,
    sql`with stale as (
        select found.* from unnest(${sql.param(products)}::text[]) as named(product) cross join lateral (
          select p.product, p.item_id, p.last_synced_at from item_products p
          where p.product = named.product and ${isStale}
          order by p.last_synced_at limit ${most}) as found)
      select product, count(*) as products, count(distinct item_id)
          filter (where (select i.status <> 'institution_down' from items i where i.id = item_id)) as items,
        extract(epoch from now() - ${freshFor} - min(last_synced_at))::float8 as overdue
      from stale group by grouping sets ((product), ())`,
  )

const freshRow = z.object({ count: bigCount.nullable() })
/**
 * When an outage leaves too many products stale to look at: how many items were read within a day, by the product that
 * every item has, without those whose bank is down. The first count reads the index alone, the second one only the
 * items that it takes away.
 */
const freshItems = (most: number) =>
  query(
    freshRow,
    sql`select case when (select count(*) from (select 1 from item_products where product = 'balances'
          and not is_stopped and last_synced_at < now() - ${freshFor} limit ${most}) as stale) >= ${most}
        then (select count(*) from item_products where product = 'balances' and not is_stopped
            and last_synced_at >= now() - ${freshFor})
          - (select count(*) from items i join item_products p on p.item_id = i.id
            where i.status = 'institution_down' and p.product = 'balances' and not p.is_stopped
              and p.last_synced_at >= now() - ${freshFor}) end as count`,
  )

const countRow = z.object({ count: bigCount })
/** Items that were linked a day ago and have no transactions yet, without those that a stale product counts already. */
const neverSynced = (products: readonly string[]) =>
  query(
    countRow,
    sql`select count(*) as count from (select 1 from items i
      where i.status = 'initializing' and i.created_at < now() - ${freshFor}
        and not exists (select 1 from item_products p
          where p.item_id = i.id and p.product = any(${sql.param(products)}::text[]) and ${isStale})
      limit ${mostCounted}) as found`,
  )

const dueProducts = query(
  countRow,
  sql`select count(*) as count from (select 1 from item_products d where ${isDue} limit ${mostCounted}) as found`,
)

const openDeadLetters = query(
  countRow,
  sql`select count(*) as count
    from (select 1 from dead_letters where replayed_at is null limit ${mostCounted}) as found`,
)

const agedRow = z.object({ count: bigCount, age: seconds.nullable() })
const openExchanges = query(
  agedRow,
  sql`select count(*) as count, max(${age('created_at')}) as age from (select created_at from link_exchanges
    where ${isOpen} order by next_attempt_at limit ${mostCounted}) as found`,
)

const removalRow = agedRow.extend({ reason: z.string() })
/** Every row is an item that Plaid bills and that no user has. */
const waitingRemovals = query(
  removalRow,
  sql`select reason, count(*) as count, max(${age('created_at')}) as age from plaid_removals group by reason`,
)

const deliveryRow = agedRow.extend({ applications: z.boolean() })
/**
 * Deliveries of events that are due now, by whether an application owns their endpoint. Those of an endpoint that fails
 * are its owner's concern.
 */
const dueDeliveries = query(
  deliveryRow,
  sql`with listening as materialized (
      select e.id, e.application_id is not null as applications from webhook_endpoints e
      where e.state = 'enabled' and e.failures = 0
    )
    select l.applications, max(${age('d.next_attempt_at')}) as age, (select count(*) from (
        select 1 from listening o join webhook_deliveries p on p.endpoint_id = o.id
        where o.applications = l.applications and p.state = 'pending' and p.next_attempt_at <= now()
        limit ${mostCounted}) as found) as count
    from listening l cross join lateral (select f.next_attempt_at from webhook_deliveries f
      where f.endpoint_id = l.id and f.state = 'pending' and f.next_attempt_at <= now()
      order by f.next_attempt_at limit 1) as d
    group by l.applications`,
)

const moment = z.coerce.date().nullable()
const backupRow = z.object({ last: moment, verified: moment })
const newestBackups = query(
  backupRow,
  sql`select (select max(started_at) from backups where state = 'complete') as last,
    (select max(verified_at) from backups) as verified`,
)

const connectionRow = z.object({ used: bigCount, most: bigCount })
/** Of the database's server. Neon's pooler opens at most nine tenths of them for one login. */
const connections = query(
  connectionRow,
  sql`select (select count(*) from pg_stat_activity where datname = current_database()) as used,
    current_setting('max_connections')::int as most`,
)

const switchRow = z.object({ name: z.string(), state: z.string() })
const switches = query(switchRow, sql`select name, state from safety_switches`)

export interface DatabaseGauges {
  readonly itemsByStatus: readonly { readonly status: string; readonly count: number }[]
  /** Live items of which a product was not read for a day, without those whose bank is down; each once. */
  readonly staleItems: number
  /**
   * Items that were read within a day, without those whose bank is down; null unless there are too many stale ones to
   * count.
   */
  readonly freshItems: number | null
  readonly overdueByProduct: readonly {
    readonly product: string
    readonly products: number
    readonly seconds: number
  }[]
  readonly dueProducts: number
  readonly openDeadLetters: number
  readonly openExchanges: { readonly count: number; readonly seconds: number }
  readonly removals: readonly { readonly reason: string; readonly count: number; readonly seconds: number }[]
  readonly dueDeliveries: readonly {
    /** Whether their endpoints belong to applications. */
    readonly applications: boolean
    readonly count: number
    readonly seconds: number
  }[]
  readonly lastBackup: Date | null
  readonly lastVerifiedRestore: Date | null
  readonly connections: { readonly used: number; readonly most: number }
  readonly switches: readonly { readonly name: string; readonly state: string }[]
}

/**
 * @param products the synced products that are read once a day
 * @param most stale products of each that are looked at
 */
export async function readGauges(
  jobs: JobsDatabase,
  products: readonly string[],
  most = mostStale,
): Promise<DatabaseGauges> {
  const found = await batch(jobs, {
    // Without statistics, the planner would read whole tables.
    planned: plan(byIndex),
    byStatus: itemsByStatus,
    stale: staleProducts(products, most),
    fresh: freshItems(most),
    never: neverSynced(products),
    due: dueProducts,
    letters: openDeadLetters,
    exchanges: openExchanges,
    removals: waitingRemovals,
    deliveries: dueDeliveries,
    backups: newestBackups,
    connections,
    switches,
  })
  const count = (rows: readonly { readonly count: number }[]): number => rows[0]?.count ?? 0
  const all = found.stale.find(({ product }) => product === null)
  const overdue = new Map(found.stale.map((row) => [row.product, row]))
  return {
    itemsByStatus: found.byStatus,
    staleItems: (all?.items ?? 0) + count(found.never),
    freshItems: found.fresh[0]?.count ?? null,
    overdueByProduct: products.map((product) => ({
      product,
      products: overdue.get(product)?.products ?? 0,
      seconds: overdue.get(product)?.overdue ?? 0,
    })),
    dueProducts: count(found.due),
    openDeadLetters: count(found.letters),
    openExchanges: { count: count(found.exchanges), seconds: found.exchanges[0]?.age ?? 0 },
    removals: found.removals.map(({ reason, count: waiting, age: old }) => ({
      reason,
      count: waiting,
      seconds: old ?? 0,
    })),
    dueDeliveries: found.deliveries.map(({ applications, count: due, age: old }) => ({
      applications,
      count: due,
      seconds: old ?? 0,
    })),
    lastBackup: found.backups[0]?.last ?? null,
    lastVerifiedRestore: found.backups[0]?.verified ?? null,
    connections: found.connections[0] ?? { used: 0, most: 0 },
    switches: found.switches,
  }
}
