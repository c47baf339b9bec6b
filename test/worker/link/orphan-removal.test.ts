// Orphan removal after a restored backup: items that were linked after the restored time have no row here and are
// healthy at Plaid.
import { beforeEach, describe, expect, it } from 'vitest'
import { reconcile } from '../../../src/link/reconcile.ts'
import type { Services } from '../../../src/context.ts'
import { exchangePublicToken } from '../../../src/link/exchange-public-token.ts'
import {
  chooseBank,
  codeOf,
  heldAtPlaid,
  letTimePass,
  linkSmallBank,
  smallBank,
  userWith,
  useWorld,
} from '../../support/item-lifecycle.ts'
import { withPlaid } from '../../support/with-plaid.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

/** Links a bank for each user, then deletes the items as a restore would. The users stay. */
async function linkAndRestore(name: string, users: number): Promise<string[]> {
  const subjects = Array.from({ length: users }, (_, index) => `${name} ${index}`)
  for (const subject of subjects) await linkSmallBank(world, subject)
  await world.sql('delete from link_exchanges')
  await world.sql('delete from items')
  return subjects
}

const allowing = (mode: 'off' | 'report' | 'end', perDay = 100): Services => ({
  ...world.services,
  config: { ...world.services.config, orphanRemoval: { mode, perDay } },
})

/** Reconciles several times within one day of the daily limit. */
async function reconcileOften(services: Services, rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await letTimePass(world)
    await reconcile(world.job(services))
  }
}

async function stillHeld(subjects: readonly string[]): Promise<number> {
  const held = await Promise.all(subjects.map((subject) => heldAtPlaid(world, subject)))
  return held.flat().length
}

const setSwitch = (state: string) =>
  world.sql("update safety_switches set state = $1 where name = 'orphan_removal'", [state])
const alarms = () => world.lines.filter((line) => line.includes('"orphan_removal_limit_reached"'))

beforeEach(async () => {
  world.lines.length = 0
  await world.sql(
    "update safety_switches set state = 'end', count = 0, alarmed_on = null where name = 'orphan_removal'",
  )
  await world.sql('delete from plaid_removals')
  // The reconciler does not ask for users of earlier tests.
  await world.sql('update users set plaid_user_id = null')
})

describe('an item that was linked after the backup of a restored database', () => {
  /** Services with the variable at `mode`, or with the variable at `end` and the database switch at `mode`. */
  async function withMode(where: 'the variable' | 'the switch', mode: 'off' | 'report'): Promise<Services> {
    if (where === 'the variable') return allowing(mode)
    await setSwitch(mode)
    return allowing('end')
  }

  describe.each(['the variable', 'the switch'] as const)('an orphan while %s is stricter', (where) => {
    it('stays at Plaid while that says off, and Plaid is not asked', async () => {
      const subjects = await linkAndRestore(`off by ${where}`, 3)
      const asked = (await world.bank.calls()).length
      await reconcileOften(await withMode(where, 'off'))
      const calls = (await world.bank.calls()).slice(asked).map(({ endpoint }) => endpoint)
      expect(await stillHeld(subjects)).toBe(3)
      expect(calls.filter((endpoint) => endpoint.startsWith('/user/items/'))).toEqual([])
    })

    it('stays at Plaid while that says report, and is reported as an error', async () => {
      const subjects = await linkAndRestore(`report by ${where}`, 3)
      await reconcileOften(await withMode(where, 'report'))
      expect(await stillHeld(subjects)).toBe(3)
      expect(await world.sql("select 1 from plaid_removals where reason = 'orphan'")).toEqual([])
      const reported = world.lines.filter(
        (line) => line.includes('"item_unclaimed"') && line.includes('"level":"error"'),
      )
      expect(new Set(reported.map((line) => /"plaid_item_id":"[^"]+"/.exec(line)?.[0])).size).toBe(3)
    })

    it.each(['off', 'report'] as const)(
      'stays at Plaid when that is turned to %s after its removal was queued',
      async (mode) => {
        const subjects = await linkAndRestore(`${mode} too late by ${where}`, 2)
        await reconcile(world.job(allowing('end')))
        expect(await world.sql("select 1 from plaid_removals where reason = 'orphan'")).toHaveLength(2)
        await reconcileOften(await withMode(where, mode))
        expect(await stillHeld(subjects)).toBe(2)
      },
    )
  })

  it('is removed only within the limit of the day, with one alarm a day for the rest', async () => {
    const subjects = await linkAndRestore('limit', 6)
    await reconcileOften(allowing('end', 2))
    expect(await stillHeld(subjects)).toBe(4)
    expect(alarms()).toHaveLength(1)
    expect(alarms()[0]).toContain('"level":"error"')

    await world.sql('update safety_switches set counted_on = counted_on - 1, alarmed_on = alarmed_on - 1')
    await reconcileOften(allowing('end', 2))
    expect(await stillHeld(subjects)).toBe(2)
    expect(alarms()).toHaveLength(2)
  })

  it('counts once against the limit, however often Plaid refuses its removal', async () => {
    const subjects = await linkAndRestore('refused', 2)
    await world.bank.fault({ endpoint: '/user/items/remove', times: 100, error: 'INTERNAL_SERVER_ERROR' })
    await reconcileOften(allowing('end', 2), 3)
    expect(await stillHeld(subjects)).toBe(2)
    await world.bank.clearFaults()
    await reconcileOften(allowing('end', 2), 2)
    expect(await stillHeld(subjects)).toBe(0)
    expect(alarms()).toEqual([])
  })

  it('is removed within the limit by two reconcilers at the same time', async () => {
    const subjects = await linkAndRestore('twice', 5)
    await reconcile(world.job(allowing('end', 3)))
    await letTimePass(world)
    await Promise.all([1, 2, 3].map(() => reconcile(world.job(allowing('end', 3)))))
    expect(await stillHeld(subjects)).toBe(2)
  })
})

describe('an exchange whose response was lost', () => {
  it.each(['off', 'report'] as const)('becomes lost where orphan removal says %s, with an alarm', async (mode) => {
    const subject = `response lost, ${mode}`
    const { publicToken } = await chooseBank(world, subject, smallBank(subject))
    const dying = withPlaid(world.services, {
      async exchangePublicToken(token) {
        await world.services.plaid.exchangePublicToken(token)
        throw new TypeError('the isolate died')
      },
    })
    const exchange = (services: Services) =>
      codeOf(exchangePublicToken(userWith(world, subject, services), { publicToken, institution: null }))
    await exchange(dying)
    expect(await exchange(world.services)).toBe('conflict')
    await letTimePass(world, subject)
    await reconcile(world.job(allowing(mode)))
    const state = 'select state from link_exchanges x join users u on u.id = x.user_id where u.subject = $1'
    expect(await world.sql(state, [subject])).toEqual([{ state: 'lost' }])
    const alarm = mode === 'off' ? '"exchange_lost"' : '"item_unclaimed"'
    expect(world.lines.filter((line) => line.includes(alarm) && line.includes('"level":"error"'))).not.toEqual([])
    expect(await exchange(world.services)).toBe('public_token_refused')
  })
})
