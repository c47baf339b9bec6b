// The chaining job on a real database: independent of the writers, once for each row, also after an interruption.
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import { chainAudit } from '../../../src/audit/chain.ts'
import { recordAudit } from '../../../src/db/audit/record.ts'
import { execute } from '../../../src/db/core/client.ts'
import { withSession } from '../../../src/db/core/session.ts'
import { withDeadline } from '../../../src/timeout.ts'
import { callFaults, failAt } from '../../support/fault-injection.ts'
import { copyAudit } from '../../support/audit-copy.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())

async function write(subject: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const row = await audit(world.user(subject), { action: 'item_removed', target: crypto.randomUUID() })
    await execute(world.services.jobs, [recordAudit(row)])
  }
}

async function expectWhole(): Promise<void> {
  const copy = await copyAudit(world)
  expect(await copy.verify({ pageSize: 1000 })).toMatchObject({ fault: null, unchained: 0 })
}

describe('the chaining job', () => {
  it('gives every row one place when two runs meet: one of them stops', async () => {
    await write('two', 4)
    const jobs = [world.job(), world.job(), world.job()]
    const chained = await Promise.all(jobs.map((ctx) => chainAudit(ctx)))
    expect(chained.reduce((sum, count) => sum + count, 0)).toBe(4)
    await expectWhole()
  })

  it.each(callFaults)('continues after a run that failed at any call: %s', async (fault) => {
    for (let call = 1; call <= 2; call += 1) {
      await write(`crash ${fault}`, 2)
      const faulty = failAt(world.services, { call, fault })
      await chainAudit(world.job(faulty.services)).catch(() => null)
      expect(faulty.calls.length).toBeGreaterThanOrEqual(call)
      await chainAudit(world.job())
      await expectWhole()
    }
  })

  it('delays no writer while its transaction is open', async () => {
    await write('waits', 2)
    const { ownerUrl, endpoint } = world.database
    const waiting = async () =>
      await world.sql(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
          and query ilike '%delete from audit_unchained%' and pid <> pg_backend_pid()`,
      )
    await withSession(ownerUrl, endpoint, async (session) => {
      await session.query('begin')
      // The job waits for these rows in its last statement, and holds everything that it has written before.
      await session.query('select 1 from audit_unchained for update')
      const running = chainAudit(world.job())
      await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 10_000 })
      await withDeadline(5000, async () => {
        await write('waits', 1)
        await write('another', 1)
      })
      expect(await waiting()).toHaveLength(1)
      await session.query('rollback')
      expect(await running).toBe(2)
    })
    expect(await chainAudit(world.job())).toBe(2)
    await expectWhole()
  })

  it('writes its checkpoint to the log, and to the copy outside of the database', async () => {
    await write('checkpoint', 1)
    const saved: number[] = []
    const services = {
      ...world.services,
      saveCheckpoint: ({ number }: { readonly number: number }) => Promise.resolve(void saved.push(number)),
    }
    await chainAudit(world.job(services))
    const [row] = await world.sql(
      "select number, encode(mac, 'hex') as mac from audit_checkpoints order by number desc limit 1",
    )
    expect(saved).toEqual([Number(row?.['number'])])
    expect(
      world.lines.filter((line) => line.includes(`${String(row?.['number'])}:${String(row?.['mac']).slice(0, 32)}`)),
    ).toHaveLength(1)
  })

  it('begins another chain for a person who comes back after an erasure', async () => {
    await write('returns', 1)
    await chainAudit(world.job())
    await world.sql("select app.forget_in_audit('wealthnavigator-edge', 'returns')")
    expect(await world.sql("select 1 from audit_chains where person like '%returns'")).toEqual([])
    await write('returns', 1)
    await chainAudit(world.job())
    expect(await world.sql("select number from audit_chains where person like '%returns'")).toEqual([{ number: '1' }])
    await expectWhole()
  })

  it('writes an erased person’s name nowhere, though their row was waiting', async () => {
    await write('gone', 1)
    await world.sql("select app.forget_in_audit('wealthnavigator-edge', 'gone')")
    await chainAudit(world.job())
    expect(await world.sql("select 1 from audit_chains where person like '%gone'")).toEqual([])
    await expectWhole()
  })
})
