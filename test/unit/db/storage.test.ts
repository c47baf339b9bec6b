// How tables are stored, from the catalog. Neon empties unlogged tables at a restart, and loses the counters behind autovacuum.
import type { Client } from 'pg'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { useDatabase } from '../../support/own-database.ts'

let owner: Client
useDatabase((client) => {
  owner = client
})

async function tablesWhere(condition: string): Promise<readonly string[]> {
  const { rows } = await owner.query(
    `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and ${condition} order by 1`,
  )
  return z
    .array(z.object({ relname: z.string() }))
    .parse(rows)
    .map(({ relname }) => relname)
}

/** Tables with few rows, or whose rows hardly change. */
const small = [
  'api_keys',
  'applications',
  'audit_chains',
  'audit_checkpoints',
  'audit_prunings',
  'backups',
  'consents',
  'dead_letters',
  'erasures',
  'link_exchanges',
  'plaid_removals',
  'rules',
  'safety_switches',
  'unmatched_webhooks',
  'webhook_endpoints',
  'webhook_keys',
]

it('no table is unlogged', async () => {
  expect(await tablesWhere(`relpersistence <> 'p'`)).toEqual([])
})

it('every large table is vacuumed before a fifth of it has changed', async () => {
  const without = await tablesWhere(
    `coalesce(array_to_string(reloptions, ','), '') !~ 'autovacuum_vacuum_scale_factor'`,
  )
  expect(without).toEqual(small)
})
