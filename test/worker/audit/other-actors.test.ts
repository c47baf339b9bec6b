// What webhooks and syncs change about an item, and the rows that they leave in the audit trail of its user.
import { describe, expect, it } from 'vitest'
import { sqlState } from '../../../src/db/core/sql-state.ts'
import { findItemOf, recordEvent } from '../../../src/db/operations/webhook-events.ts'
import { syncProduct } from '../../../src/sync/engine.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { anyAudit } from '../../support/audit.ts'
import { link } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'
import { receiving } from '../webhooks/receiving.ts'

let world: World
useWorld((made) => {
  world = made
})
const { relay } = receiving(() => world)

/** The rows about an item, with the trail that each is in. */
async function rowsOf(itemId: string): Promise<string[]> {
  const rows = await world.sql(
    `select l.actor_kind || ' ' || l.action || ' ' || coalesce(p.person, 'system') as line from audit_log l
      left join audit_people p on p.audit_id = l.id and p.part = 'owner'
      where l.target_id = $1 and l.action not in ('item_linked', 'access_token_obtained', 'token_used')
      order by l.at, l.id`,
    [itemId],
  )
  return rows.map(({ line }) => String(line))
}
const body = (plaidItemId: string, code: string, more: object = {}) =>
  JSON.stringify({ webhook_type: 'ITEM', webhook_code: code, item_id: plaidItemId, ...more })

describe('a webhook that changes an item', () => {
  it.each([
    ['USER_PERMISSION_REVOKED', 'item_revoked'],
    ['PENDING_DISCONNECT', 'item_end_announced'],
    ['PENDING_EXPIRATION', 'item_end_announced'],
    ['LOGIN_REPAIRED', 'item_repaired'],
  ])('%s is a row of Plaid in the trail of the user', async (code, action) => {
    const subject = `webhook ${code}`
    const item = await link(world, subject)
    await relay(body(item.plaidItemId, code))
    expect(await rowsOf(item.id)).toEqual([`webhook ${action} 20:wealthnavigator-edge${subject}`])
  })

  it('is a row also where the user withdrew the permission for one account', async () => {
    const item = await link(world, 'one account')
    const [account] = await world.sql('select plaid_account_id from accounts where item_id = $1 limit 1', [item.id])
    await relay(body(item.plaidItemId, 'USER_ACCOUNT_REVOKED', { account_id: account?.['plaid_account_id'] }))
    await relay(body(item.plaidItemId, 'USER_ACCOUNT_REVOKED', { account_id: 'an unknown account' }))
    expect(await rowsOf(item.id)).toEqual(['webhook account_revoked 20:wealthnavigator-edgeone account'])
  })

  it('is no row where it changes nothing: of no item, of an item that is lost already, of new data', async () => {
    const item = await link(world, 'unchanged')
    await relay(body(item.plaidItemId, 'USER_PERMISSION_REVOKED'))
    await relay(body(item.plaidItemId, 'USER_PERMISSION_REVOKED', { again: true }))
    await relay(body(item.plaidItemId, 'PENDING_DISCONNECT'))
    await relay(body(item.plaidItemId, 'NEW_ACCOUNTS_AVAILABLE'))
    expect(await rowsOf(item.id)).toHaveLength(1)
    await relay(body('an-unknown-plaid-item', 'USER_PERMISSION_REVOKED'))
  })

  it('is stored with its row or not at all', async () => {
    const item = await link(world, 'all or nothing')
    await world.stack.addFault(world.database.name, { kind: 'fail-before', matching: 'app.record_audit' })
    await expect(relay(body(item.plaidItemId, 'USER_PERMISSION_REVOKED'))).rejects.toMatchObject({
      code: 'unavailable',
    })
    await world.stack.clearFaults(world.database.name)
    expect(await rowsOf(item.id)).toEqual([])
    expect(await world.sql('select status from items where id = $1', [item.id])).not.toEqual([{ status: 'revoked' }])
    await relay(body(item.plaidItemId, 'USER_PERMISSION_REVOKED'))
    expect(await rowsOf(item.id)).toHaveLength(1)
  })

  it('is not stored with a row about another item', async () => {
    const item = await link(world, 'another item')
    const event = {
      replayKey: crypto.randomUUID(),
      scheme: 'hmac',
      type: 'ITEM',
      code: 'USER_PERMISSION_REVOKED',
      plaidItemId: item.plaidItemId,
      linkTokenDigest: null,
      payload: {},
    } as const
    const { jobs } = world.services
    const update = { status: 'revoked', statusReason: 'USER_PERMISSION_REVOKED' } as const
    expect(await findItemOf(jobs, item.plaidItemId)).toBe(item.id)
    for (const row of [await anyAudit(world), null])
      await expect(recordEvent(jobs, event, [], update, row)).rejects.toMatchObject({ sqlState: sqlState.itemMoved })
    expect(await world.sql('select 1 from webhook_events where replay_key = $1', [event.replayKey])).toEqual([])
  })
})

describe('a sync that finds an item lost', () => {
  const failures = [
    ['ITEM_NOT_FOUND', 'item_lost'],
    ['USER_PERMISSION_REVOKED', 'item_revoked'],
  ] as const

  it.each(failures)('leaves one row, also where it runs again: %s', async (error, action) => {
    const subject = `lost by ${error}`
    const item = await link(world, subject)
    const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'item'", [item.id])
    await world.bank.fault({ endpoint: '/item/get', times: 2, error })
    await syncProduct(world.job(), String(row?.['id']), 'sweep')
    expect(await rowsOf(item.id)).toEqual([`queue ${action} 20:wealthnavigator-edge${subject}`])
    await world.elapse()
    await syncProduct(world.job(), String(row?.['id']), 'sweep')
    expect(await rowsOf(item.id)).toHaveLength(1)
  })

  it('leaves none for a login that update mode repairs', async () => {
    const item = await link(world, 'repairable')
    const [row] = await world.sql("select id from item_products where item_id = $1 and product = 'item'", [item.id])
    await world.bank.fault({ endpoint: '/item/get', times: 1, error: 'ITEM_LOGIN_REQUIRED' })
    await syncProduct(world.job(), String(row?.['id']), 'sweep')
    expect(await world.sql('select status from items where id = $1', [item.id])).toEqual([{ status: 'needs_update' }])
    expect(await rowsOf(item.id)).toEqual([])
  })
})
