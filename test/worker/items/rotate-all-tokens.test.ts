// The rotation of all access tokens over a real database and the simulator: each token once, resumable, behind user's calls.
import { afterEach, describe, expect, it } from 'vitest'
import { removeItem } from '../../../src/items/remove-item.ts'
import { rotateTokensStep, startTokenRotation, tokenRotationProgress } from '../../../src/items/rotate-all-tokens.ts'
import type { Ctx, Services, User } from '../../../src/context.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { rotateTokensRoute } from '../../../src/http/routes/admin/access-tokens.ts'
import { ask } from '../../support/call-route.ts'
import { expectTruth } from '../../support/equality.ts'
import { link, linkAndSync } from '../../support/linked.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  world.lines.length = 0
  await world.sql("update safety_switches set state = 'off' where name = 'freeze'")
  // Each test rotates its own items.
  await world.sql("update items set access_token_at = '2100-01-01'")
})

const invalidations = async () =>
  (await world.bank.calls()).filter(({ endpoint }) => endpoint === '/item/access_token/invalidate')
/** The database's time: its clock and the test's may differ. */
async function databaseNow(): Promise<Date> {
  const [row] = await world.sql(
    'select to_char(clock_timestamp() at time zone \'utc\', \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\') as now',
  )
  return new Date(String(row?.['now']))
}
const progress = (before: Date) => tokenRotationProgress(world.job(), before)
const messageFor = (before: Date) => ({ rotate_tokens_before: before.toISOString(), after: null, pass: 1 })

async function storedToken(itemId: string): Promise<string> {
  const [row] = await world.sql('select user_id, access_token_sealed from items where id = $1', [itemId])
  const owner = { userId: String(row?.['user_id']), itemId }
  return (await openAccessToken(world.services.keyring, String(row?.['access_token_sealed']), owner)).reveal()
}

describe('a rotation of all access tokens', () => {
  it('replaces the token of each live item once, and the items work with the new ones', async () => {
    const items = [await linkAndSync(world, 'all 1'), await linkAndSync(world, 'all 2')]
    const [removed, lost] = [await linkAndSync(world, 'all 3'), await linkAndSync(world, 'all 4')]
    await removeItem(world.user('all 3'), removed.id, { purge: false })
    await world.sql("update items set status = 'relink_required' where id = $1", [lost.id])
    const before = await databaseNow()
    const later = await linkAndSync(world, 'all 5')
    const [old, kept] = [await Promise.all(items.map(({ id }) => storedToken(id))), await storedToken(later.id)]
    expect(await progress(before)).toEqual({ total: 3, remaining: 2 })
    const made = (await invalidations()).length

    await startTokenRotation(world.job(), before)
    for (const [index, item] of items.entries())
      await world.bank.change(item.plaidItemId, { add: index + 1, silent: true })
    await world.drain()

    expect(await progress(before)).toEqual({ total: 3, remaining: 0 })
    expect((await invalidations()).length - made).toBe(2)
    const now = await Promise.all(items.map(({ id }) => storedToken(id)))
    expect(now.filter((token) => old.includes(token))).toEqual([])
    expect(await storedToken(later.id)).toBe(kept)
    for (const [index, item] of items.entries()) await expectTruth(world, `all ${index + 1}`, item.plaidItemId)
    expect(world.lines.join('\n')).toContain('token_rotation_finished')
  })

  it('rotates nothing when it is run again for the same time, and once when a step comes twice', async () => {
    await linkAndSync(world, 'twice')
    const before = await databaseNow()
    const made = (await invalidations()).length
    await world.consume([messageFor(before), messageFor(before)])
    await world.drain()
    expect((await invalidations()).length - made).toBe(1)
    await startTokenRotation(world.job(), before)
    await world.drain()
    expect((await invalidations()).length - made).toBe(1)
  })

  it('continues after its messages were lost', async () => {
    await linkAndSync(world, 'lost 1')
    await linkAndSync(world, 'lost 2')
    const before = await databaseNow()
    const made = (await invalidations()).length
    await world.consume([messageFor(before)])
    const [first] = world.queue.splice(0)
    if (first === undefined) throw new Error('no rotation was queued')
    await world.consume([first])
    world.queue.length = 0
    expect(await progress(before)).toMatchObject({ remaining: 1 })
    await startTokenRotation(world.job(), before)
    await world.drain()
    expect(await progress(before)).toMatchObject({ remaining: 0 })
    expect((await invalidations()).length - made).toBe(2)
  })

  it('leaves the calls of users the first places at Plaid', async () => {
    await linkAndSync(world, 'priority')
    const before = await databaseNow()
    const priorities: string[] = []
    const services: Services = {
      ...world.services,
      plaidFor: (caller) => {
        priorities.push(caller.priority)
        return world.services.plaidFor(caller)
      },
    }
    await world.consume([messageFor(before)])
    await world.consume(world.queue.splice(0, 1), services)
    expect(priorities).toEqual(['background'])
  })

  it('counts the token of a link that was begun before the time, although its item was stored later', async () => {
    const item = await link(world, 'begun')
    const before = await databaseNow()
    const [row] = await world.sql(
      `select access_token_at = (select created_at from link_exchanges where id = $1) as earlier from items where id = $1`,
      [item.id],
    )
    expect(row).toEqual({ earlier: 't' })
    expect(await progress(before)).toMatchObject({ remaining: 1 })
  })

  it('waits during a freeze, and runs in recovery', async () => {
    await linkAndSync(world, 'frozen')
    const before = await databaseNow()
    const message = messageFor(before)
    const closed: Services = {
      ...world.services,
      freeze: { check: () => Promise.resolve('frozen'), noteWritten: () => undefined },
    }
    expect(await rotateTokensStep(world.job(closed), message)).toEqual({ message, delaySeconds: 900 })
    expect(world.queue).toEqual([])
    await world.sql("update safety_switches set state = 'recovery' where name = 'freeze'")
    await world.consume([message])
    await world.drain()
    expect(await progress(before)).toMatchObject({ remaining: 0 })
  })

  it('takes a hundred items a step, two a second, each once, and then waits before the next pass', async () => {
    const item = await link(world, 'many')
    await world.sql(
      `insert into items (user_id, plaid_item_id, access_token_sealed, status, access_token_at)
        select user_id, 'copy ' || n, access_token_sealed, 'healthy', access_token_at from items, generate_series(1, 149) n
        where id = $1`,
      [item.id],
    )
    const before = await databaseNow()
    const taken: string[] = []
    const services: Services = {
      ...world.services,
      enqueueRotations: (items, perSecond) => {
        expect(perSecond).toBe(2)
        taken.push(...items.map(({ itemId }) => itemId))
        return Promise.resolve(items.length)
      },
    }
    const next = await rotateTokensStep(world.job(services), messageFor(before))
    expect(next).toEqual({ message: { ...messageFor(before), after: taken.at(-1) }, delaySeconds: 50 })
    expect(taken).toHaveLength(100)
    const last = await rotateTokensStep(world.job(services), next?.message ?? messageFor(before))
    // 50 items at two a second, and five minutes.
    expect(last).toEqual({ message: { ...messageFor(before), pass: 2 }, delaySeconds: 325 })
    expect([taken.length, new Set(taken).size]).toEqual([150, 150])
    await world.sql("delete from items where plaid_item_id like 'copy %'")
  })

  it.each([
    [1, 2, 'token_rotation_finished'],
    [4, 5, 'token_rotation_finished'],
    [9, 5, 'token_rotation_incomplete'],
  ])('tries an item again in each of five passes: refused %i times, %i calls, %s', async (refused, calls, event) => {
    await linkAndSync(world, `refused ${refused}`)
    const before = await databaseNow()
    const made = (await invalidations()).length
    await world.bank.fault({
      endpoint: '/item/access_token/invalidate',
      times: refused,
      error: 'INVALID_API_KEYS',
    })
    await world.consume([messageFor(before)])
    await world.drain()
    await world.bank.clearFaults()
    expect((await invalidations()).length - made).toBe(calls)
    expect(world.lines.join('\n')).toContain(event)
    expect(world.queue).toEqual([])
  })

  it('repeats a step whose successor the queue does not take', async () => {
    await link(world, 'refusing queue')
    const before = await databaseNow()
    const services: Services = { ...world.services, enqueueTokens: () => Promise.resolve(false) }
    expect(await world.consume([messageFor(before)], services)).toEqual([60])
  })

  it('is refused for a time in the future, which would include the tokens that it brings', async () => {
    const user = world.user('operator')
    const operator: Ctx<User> = { ...user, actor: { ...user.actor, role: 'admin' } }
    const body = { before: new Date(Date.now() + 60_000).toISOString() }
    await expect(ask(operator, rotateTokensRoute, { body })).rejects.toMatchObject({ code: 'validation_failed' })
    expect(world.queue).toEqual([])
  })
})
