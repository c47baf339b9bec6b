// A scratch database whose `now()` is the simulation's, so that the scheduling statements of src/db run unchanged on a
// simulated clock. Also writes the results of simulated runs, in bulk.
import { Client } from 'pg'
import { connect, type JobsDatabase } from '../../../db/core/client.ts'
import { bootstrap } from '../../../dev/lib/bootstrap.ts'
import { migrate } from '../../../dev/lib/migrate.ts'
import { startNeonEndpoint } from '../../../dev/neon-local/server.ts'
import { startPostgres } from '../../../dev/postgres/server.ts'
import { freshness, type SyncProduct, syncProducts } from '../../../sync/products.ts'

/** The end of a run: read at `at`, and dirty again if a change came after that. Times in ms since 1970. */
export interface Done {
  readonly id: string
  readonly at: number
  readonly isDirtyAgain: boolean
}

/** A run without success: due again at `next`. */
export interface Put {
  readonly id: string
  readonly next: number
}

export interface Age {
  readonly product: string
  readonly oldestSeconds: number
}

export interface SimulatedDatabase {
  readonly jobs: JobsDatabase
  /** Sets `now()`. */
  setTime(nowMs: number): Promise<void>
  /** Marks rows dirty as a webhook or a user does (src/db/operations/webhook-events.ts, src/db/items/items.ts). */
  markDirty(ids: readonly string[]): Promise<void>
  /** The dirty ones among these, with their consecutive failures: what acquiring the lease would return. */
  findDirty(ids: readonly string[]): Promise<Map<string, number>>
  finish(done: readonly Done[], put: readonly Put[]): Promise<void>
  ages(): Promise<Age[]>
  stop(): Promise<void>
}

/** An id that encodes the item and the product. */
export const idOf = (item: number, product: SyncProduct): string =>
  `00000000-0000-4000-800${syncProducts.indexOf(product)}-${item.toString(16).padStart(12, '0')}`
export const itemOf = (id: string): number => Number.parseInt(id.slice(24), 16)
export function productOf(id: string): SyncProduct {
  const product = syncProducts[Number(id[22])]
  if (product === undefined) throw new TypeError(`${id} is not of the simulation`)
  return product
}

const clock = `
  create schema sim;
  create table sim.clock (now timestamptz not null);
  insert into sim.clock values ('2031-01-01');
  create function sim.now() returns timestamptz language plpgsql stable as
    $$ begin return (select c.now from sim.clock c); end $$;
  grant usage on schema sim to wn_jobs;
  grant select on sim.clock to wn_jobs;`

/**
 * Drops what scheduling does not need and what costs a third of the time: logging, and the indexes for users' queries.
 */
const lean = `
  do $$ declare found record; begin
    for found in select conname, conrelid::regclass as place from pg_constraint where contype = 'f' and confrelid = 'item_products'::regclass
    loop execute format('alter table %s drop constraint %I', found.place, found.conname); end loop;
  end $$;
  alter table item_products drop constraint item_products_product;
  drop index item_products_user;
  alter table item_products set unlogged;`

/** Every item with every product, last read at times spread over its freshness interval. */
async function fill(owner: Client, items: number): Promise<void> {
  // All references exist, so the foreign keys need no checks.
  await owner.query('set session_replication_role = replica')
  await owner.query(
    `insert into users (id, issuer, subject) values ('00000000-0000-4000-8000-000000000000', 'sim', 'sim')`,
  )
  await owner.query(
    `insert into items (id, user_id, plaid_item_id, access_token_sealed, status)
     select ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, '00000000-0000-4000-8000-000000000000', 'item ' || i, 'none', 'healthy'
     from generate_series(0, $1::int - 1) i`,
    [items],
  )
  for (const [index, product] of syncProducts.entries())
    await owner.query(
      `insert into item_products (id, item_id, user_id, product, status, dirty_seq, synced_seq, last_synced_at)
       select ('00000000-0000-4000-800' || $2 || '-' || lpad(to_hex(i), 12, '0'))::uuid,
         ('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, '00000000-0000-4000-8000-000000000000', $3, 'ok', 1, 1,
         (select now from sim.clock) - random() * make_interval(secs => $4)
       from generate_series(0, $1::int - 1) i`,
      [items, String(index), product, freshness[product].staleAfterSeconds - freshness[product].spreadSeconds / 2],
    )
  await owner.query('vacuum analyze users, items, item_products')
}

const iso = (ms: number): string => new Date(ms).toISOString()

export async function startSimulatedDatabase(items: number, startMs: number): Promise<SimulatedDatabase> {
  const quiet = (): void => undefined
  const postgres = await startPostgres({ dataDir: ':memory:', port: 0, log: quiet })
  const name = new URL(postgres.url).pathname.slice(1)
  // As superuser: row-level security is not part of the measurement.
  const ownerUrl = new URL(postgres.superuserUrl)
  ownerUrl.pathname = `/${name}`
  const owner = new Client(ownerUrl.href)
  owner.on('error', quiet)
  const ends: (() => Promise<unknown>)[] = [() => postgres.stop()]
  const stop = async (): Promise<void> => {
    for (const end of ends.toReversed()) await end()
  }
  try {
    await migrate(postgres.url)
    const { jobsUrl } = await bootstrap(postgres.url)
    await owner.connect()
    ends.push(() => owner.end())
    await owner.query(clock)
    await owner.query(lean)
    // pg_catalog is named after the schema `sim`, so that its now() is found before the real one.
    await owner.query(
      `alter role ${new URL(jobsUrl).username} in database ${name} set search_path = sim, pg_catalog, public`,
    )
    const setTime = async (nowMs: number): Promise<void> =>
      void (await owner.query('update sim.clock set now = $1', [iso(nowMs)]))
    await setTime(startMs)
    await fill(owner, items)
    const endpoint = await startNeonEndpoint({ postgresUrl: postgres.url, port: 0, log: quiet })
    ends.push(() => endpoint.stop())
    return { ...operations(owner), jobs: connect('wn_jobs', jobsUrl, endpoint.url), setTime, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function operations(owner: Client): Pick<SimulatedDatabase, 'markDirty' | 'findDirty' | 'finish' | 'ages'> {
  return {
    async markDirty(ids) {
      await owner.query(
        `update item_products set dirty_seq = dirty_seq + 1, next_attempt_at = (select now from sim.clock)
         where id = any($1::uuid[])`,
        [ids],
      )
    },
    async findDirty(ids) {
      const { rows } = await owner.query<{ id: string; attempts: number }>(
        'select id, attempts from item_products where id = any($1::uuid[]) and dirty_seq > synced_seq',
        [ids],
      )
      return new Map(rows.map(({ id, attempts }) => [id, attempts]))
    },
    async finish(done, put) {
      await owner.query(
        `update item_products p set synced_seq = dirty_seq - again, last_synced_at = at, next_attempt_at = at, attempts = 0
         from unnest($1::uuid[], $2::timestamptz[], $3::int[]) as d (id, at, again) where p.id = d.id`,
        [done.map(({ id }) => id), done.map(({ at }) => iso(at)), done.map((each) => Number(each.isDirtyAgain))],
      )
      await owner.query(
        `update item_products p set next_attempt_at = next, attempts = attempts + 1
         from unnest($1::uuid[], $2::timestamptz[]) as d (id, next) where p.id = d.id`,
        [put.map(({ id }) => id), put.map(({ next }) => iso(next))],
      )
    },
    async ages() {
      const { rows } = await owner.query<{ product: string; oldest: string }>(
        `select product, extract(epoch from (select now from sim.clock) - min(last_synced_at)) as oldest
         from item_products group by product`,
      )
      return rows.map(({ product, oldest }) => ({ product, oldestSeconds: Number(oldest) }))
    },
  }
}
