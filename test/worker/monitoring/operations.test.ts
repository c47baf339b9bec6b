// In workerd: the operations of a link and its first sync are reported, with names from the code alone.
import { expect, it } from 'vitest'
import { observeOperations, type Operation } from '../../../src/monitoring/operation.ts'
import { linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { asUser } from '../../../src/db/core/scope.ts'
import { query } from '../../../src/db/core/statement.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

async function operationsOf(work: () => Promise<unknown>): Promise<Operation[]> {
  const seen: Operation[] = []
  await observeOperations([(operation) => seen.push(operation)], work)
  return seen
}

it('a link and its first sync report calls to the database and to Plaid, and encryption', async () => {
  const seen = await operationsOf(() => linkAndSyncSmallBank(world, 'watched'))
  const names = (kind: string) => new Set(seen.filter((operation) => operation.kind === kind).map(({ name }) => name))
  expect([...names('plaid')]).toEqual(expect.arrayContaining(['/item/public_token/exchange', '/transactions/sync']))
  expect([...names('crypto')]).toEqual(expect.arrayContaining(['seal access_token', 'open access_token']))
  expect([...names('database')]).toEqual(expect.arrayContaining(['call app.begin_link', 'select accounts']))
  expect(
    [...names('database')].filter((name) => !/^(?:select|insert|update|delete|call) [a-z_.]+$/.test(name)),
  ).toEqual([])
  const synced = seen.find(({ name }) => name === '/transactions/sync')
  expect(synced?.plaidRequestId).toMatch(/^\w+$/)
  // The small bank has neither investments nor loans.
  expect(seen.filter(({ ok }) => !ok)).not.toEqual([])
  expect(seen.filter(({ ok, code = '' }) => !ok && !/^NO_(?:INVESTMENT|LIABILITY)_ACCOUNTS$/.test(code))).toEqual([])
})

it('a statement that PostgreSQL rejects is reported with its SQLSTATE', async () => {
  const identity = { issuer: 'wealthnavigator-edge', subject: 'watched' }
  const statement = query(z.unknown(), sql`select 1 / 0 from items where ${'canary'} = 'canary'`)
  const seen = await operationsOf(() =>
    expect(asUser(world.services.api, identity, { failed: statement })).rejects.toThrow('refused'),
  )
  expect(seen).toMatchObject([{ kind: 'database', name: 'select items', ok: false, code: '22012' }])
  expect(JSON.stringify(seen)).not.toContain('canary')
})
