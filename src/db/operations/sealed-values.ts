// Sealed values by the version of their envelope and the id of their key, which each value contains: `wn1.<key id>.…`.
import { sql, type SQL } from 'drizzle-orm'
import * as z from 'zod'
import { type EnvelopeVersion, tokenVersions } from '../../custody/access-token.ts'
import { batch, type JobsDatabase } from '../core/client.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { bigCount, idRow, query } from '../core/statement.ts'
import { duringFreeze } from './freeze.ts'

interface Column {
  readonly table: string
  readonly sealed: string
  /** The column with the id for which the value was sealed. */
  readonly owner: string
  /** The user for whom it was sealed. */
  readonly user: string
  /** Rows whose value another process is about to replace. */
  readonly busy: string
  /** Rows whose value may still be opened, by an index or few. */
  readonly needed: string
  /** How the place's values are sealed now. A rotation of the keys also seals those of earlier versions again. */
  readonly version: EnvelopeVersion
}

/** The sealed columns that the jobs' login can read. Those of built-in accounts are in db/identity/totp.ts. */
const accessToken = { sealed: 'access_token_sealed', owner: 'id', user: 'user_id', busy: 'false', needed: 'true' }
/** The application of an endpoint stands for its user; an endpoint of administrators stands for one itself. */
const webhookSecret = {
  table: 'webhook_endpoints',
  owner: 'id',
  user: 'coalesce(user_id, application_id, id)',
  busy: 'false',
  version: 'wn1',
} as const
const columns = {
  items: {
    ...accessToken,
    table: 'items',
    busy: 'rotation_started_at is not null',
    version: tokenVersions.items,
  },
  link_exchanges: {
    ...accessToken,
    table: 'link_exchanges',
    needed: "state in ('started', 'exchanged')",
    version: tokenVersions.link_exchanges,
  },
  plaid_removals: {
    ...accessToken,
    table: 'plaid_removals',
    owner: 'item_id',
    version: tokenVersions.plaid_removals,
  },
  link_sessions: {
    ...accessToken,
    table: 'link_sessions',
    sealed: 'token_sealed',
    needed: '(check_at is not null or expires_at > now())',
    version: 'wn1',
  },
  webhook_secrets: { ...webhookSecret, sealed: 'secret_sealed', needed: 'true' },
  previous_webhook_secrets: { ...webhookSecret, sealed: 'previous_sealed', needed: 'previous_until > now()' },
} as const satisfies Readonly<Record<string, Column>>
type SealedColumn = keyof typeof columns

export interface KeyCount {
  readonly place: string
  readonly keyId: string
  readonly count: number
  /** How many of them have an earlier version. */
  readonly outdated: number
}

const keyCountRow = z
  .object({ place: z.string(), key_id: z.string(), count: bigCount, outdated: bigCount })
  .transform(({ place, key_id: keyId, count, outdated }) => ({ place, keyId, count, outdated }))

/** The number of values sealed with each key, by place. Reads every sealed value. */
export async function countSealedValues(jobs: JobsDatabase): Promise<readonly KeyCount[]> {
  const counts = Object.entries(columns).map(
    ([
      place,
      { table, sealed, version },
    ]) => sql`select ${place} as place, split_part(${sql.raw(sealed)}, '.', 2) as key_id, count(*) as count,
        count(*) filter (where split_part(${sql.raw(sealed)}, '.', 1) <> ${version}) as outdated
      from ${sql.raw(table)} where ${sql.raw(sealed)} <> '' group by 2`,
  )
  const { found } = await batch(jobs, {
    found: query(keyCountRow, sql`${sql.join(counts, sql` union all `)} order by place, key_id`),
  })
  return found
}

/** The keys of items, with one step of an index for each key. */
function itemKeyIds(): SQL {
  const keyId = sql.raw("split_part(access_token_sealed, '.', 2)")
  const next = (after: SQL) => sql`(select ${keyId} from items where ${keyId} > ${after} order by ${keyId} limit 1)`
  return sql`with recursive keys (id) as (
      select ${next(sql`''`)} union all select ${next(sql`keys.id`)} from keys where keys.id is not null
    ) select id from keys where id is not null`
}

function neededKeyIds({ table, sealed, needed }: Column): SQL {
  const column = sql.raw(sealed)
  return sql`select distinct split_part(${column}, '.', 2) as id from ${sql.raw(table)}
    where ${column} <> '' and ${sql.raw(needed)}`
}

/** The ids of the keys that sealed the values of each place which may still be opened. */
export async function listNeededKeyIds(jobs: JobsDatabase): Promise<Readonly<Record<SealedColumn, readonly string[]>>> {
  const { planned: _planned, ...found } = await batch(jobs, {
    link_exchanges: query(idRow, neededKeyIds(columns.link_exchanges)),
    plaid_removals: query(idRow, neededKeyIds(columns.plaid_removals)),
    link_sessions: query(idRow, neededKeyIds(columns.link_sessions)),
    webhook_secrets: query(idRow, neededKeyIds(columns.webhook_secrets)),
    previous_webhook_secrets: query(idRow, neededKeyIds(columns.previous_webhook_secrets)),
    planned: plan(inIndexOrder),
    items: query(idRow, itemKeyIds()),
  })
  return found
}

export interface StoredSealedValue {
  readonly id: string
  readonly userId: string
  readonly ownerId: string
  readonly sealed: string
}

const storedRow = z
  .object({ id: z.string(), user_id: z.string(), owner_id: z.string(), sealed: z.string() })
  .transform((row) => ({ id: row.id, userId: row.user_id, ownerId: row.owner_id, sealed: row.sealed }))

/** The next values under another key than `keyId`, or of an earlier version, by the id of their row. */
export async function listSealedValues(
  jobs: JobsDatabase,
  place: SealedColumn,
  { keyId, after, limit }: { readonly keyId: string; readonly after: string | null; readonly limit: number },
): Promise<readonly StoredSealedValue[]> {
  const { table, sealed, owner, user, busy, version } = columns[place]
  const [column, ownerId] = [sql.raw(sealed), sql.raw(owner)]
  const { found } = await batch(jobs, {
    found: query(
      storedRow,
      sql`select id, ${sql.raw(user)} as user_id, ${ownerId} as owner_id, ${column} as sealed from ${sql.raw(table)}
        where (${after}::uuid is null or id > ${after}::uuid) and ${column} <> '' and ${ownerId} is not null
          and (split_part(${column}, '.', 2) <> ${keyId} or split_part(${column}, '.', 1) <> ${version})
            and not (${sql.raw(busy)})
        order by id limit ${limit}`,
    ),
  })
  return found
}

export interface Replacement {
  readonly id: string
  readonly from: string
  readonly to: string
}

/** The ids, old values and new values of replacements, as three array parameters. */
export const replacementArrays = (replacements: readonly Replacement[]): SQL =>
  sql`${sql.param(replacements.map(({ id }) => id))}::uuid[],
    ${sql.param(replacements.map(({ from }) => from))}::text[],
    ${sql.param(replacements.map(({ to }) => to))}::text[]`

/** Replaces values that have not changed. Returns how many. */
export async function replaceSealedValues(
  jobs: JobsDatabase,
  place: SealedColumn,
  replacements: readonly Replacement[],
): Promise<number> {
  if (replacements.length === 0) return 0
  const { table, sealed, busy } = columns[place]
  const { replaced } = await batch(jobs, {
    pass: duringFreeze,
    replaced: query(
      idRow,
      sql`update ${sql.raw(table)} t set ${sql.raw(sealed)} = r.new_value
        from unnest(${replacementArrays(replacements)}) as r (row_id, old_value, new_value)
        where t.id = r.row_id and t.${sql.raw(sealed)} = r.old_value and not (${sql.raw(busy)}) returning t.id`,
    ),
  })
  return replaced.length
}
