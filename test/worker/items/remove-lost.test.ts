// Items that need a new link for two years: the API shows the day, and the retention removes them.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { isLostForGood, listLostItems } from '../../../src/db/items/removal.ts'
import { getItemRoute } from '../../../src/http/routes/items/items.ts'
import { queueRemoval } from '../../../src/items/queue-removal.ts'
import { planRetention } from '../../../src/retention/plan.ts'
import { purgeExpired } from '../../../src/retention/purge.ts'
import { anyAudit, auditOf } from '../../support/audit.ts'
import { ask } from '../../support/call-route.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import { link } from '../../support/linked.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** An item that needs a new link since so many days. */
async function lost(subject: string, days: number) {
  const item = await link(world, subject)
  world.queue.length = 0
  await world.sql("update items set status = 'relink_required', status_reason = 'ITEM_NOT_FOUND' where id = $1", [
    item.id,
  ])
  await world.sql('update items set lost_since = now() - make_interval(days => $2::int) where id = $1', [item.id, days])
  return item
}
const statusOf = async (id: string) => (await world.sql('select status from items where id = $1', [id]))[0]?.['status']
const shown = async (subject: string, id: string) =>
  z
    .object({ removal_at: z.string().nullable() })
    .parse(await ask(world.user(subject), getItemRoute, { params: { id } })).removal_at

describe('an item that needs a new link', () => {
  it('shows the day on which it is removed, and others show none', async () => {
    const item = await lost('shown', 100)
    const [row] = await world.sql(
      "select to_char(lost_since + interval '730 days', 'YYYY-MM-DD') as day from items where id = $1",
      [item.id],
    )
    expect((await shown('shown', item.id))?.slice(0, 10)).toBe(row?.['day'])
    const other = await link(world, 'in order')
    expect(await shown('in order', other.id)).toBeNull()
  })

  it('is removed after two years by the retention, with a row of the trail', async () => {
    const item = await lost('two years', 731)
    const recent = await lost('a day less', 729)
    expect((await planRetention(world.job())).find(({ name }) => name === 'lost_items')).toMatchObject({ due: 1 })
    expect((await purgeExpired(world.job(), 60_000)).purged).toMatchObject({ lost_items: 1 })
    expect([await statusOf(item.id), await statusOf(recent.id)]).toEqual(['removing', 'relink_required'])
    expect(
      await world.sql("select actor_kind from audit_log where target_id = $1 and action = 'item_removed'", [item.id]),
    ).toEqual([{ actor_kind: 'queue' }])
    expect(await world.sql('select reason from plaid_removals where item_id = $1', [item.id])).toEqual([
      { reason: 'removed' },
    ])
    expect((await purgeExpired(world.job(), 60_000)).purged).not.toHaveProperty('lost_items')
  })

  it('stays where it is linked again after it was listed', async () => {
    const item = await lost('linked again', 731)
    const { jobs, config } = world.services
    const owned = (await listLostItems(jobs, 100)).find(({ id }) => id === item.id)
    if (owned === undefined) throw new Error('the item is not listed')
    await world.sql("update items set status = 'initializing', status_reason = null where id = $1", [item.id])
    const row = await anyAudit(world)
    const terms = { keepDays: config.retention.removedDays, onlyIf: isLostForGood }
    await queueRemoval(world.job(), owned, terms, row)
    expect(await statusOf(item.id)).toBe('initializing')
    expect(await world.sql('select 1 from plaid_removals where item_id = $1', [item.id])).toEqual([])
    expect(await auditOf(world, String(row.targetId))).toEqual([])
  })
})
