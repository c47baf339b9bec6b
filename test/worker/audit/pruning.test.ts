// The retention of the audit trail: what it deletes leaves a signature, and what the rest needs stays.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import { chainAudit } from '../../../src/audit/chain.ts'
import { pruneAudit, pruneAuditCheckpoints } from '../../../src/audit/prune.ts'
import { noChain } from '../../../src/audit/signed-chain.ts'
import type { Ctx } from '../../../src/context.ts'
import { recordAudit } from '../../../src/db/audit/record.ts'
import { execute } from '../../../src/db/core/client.ts'
import { copyAudit } from '../../support/audit-copy.ts'
import { createWorld, type World } from '../../support/world.ts'

const dayMs = 24 * 3600_000

/** Returns the id of the row. */
async function write(ctx: Ctx): Promise<string> {
  const row = await audit(ctx, { action: 'item_removed', target: crypto.randomUUID() })
  await execute(ctx.services.jobs, [recordAudit(row)])
  return row.id
}

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
  for (let checkpoint = 0; checkpoint < 3; checkpoint += 1) {
    await write(world.user('ann'))
    await chainAudit(world.job())
  }
})
afterAll(() => world.stop())

describe('the retention of the audit trail', () => {
  it('leaves a signature of what it deleted, without which the rest does not verify', async () => {
    const past = { ...world.user('old'), now: () => new Date(Date.now() - 800 * dayMs) }
    const rows: string[] = []
    for (const ctx of [past, past, past, world.user('old')]) rows.push(await write(ctx))
    await chainAudit(world.job())
    const before = new Date(Date.now() - 400 * dayMs)
    expect(await pruneAudit(world.job(), before, 2)).toBe(2)
    expect(await pruneAudit(world.job(), before, 100)).toBe(1)
    expect(await pruneAudit(world.job(), before, 100)).toBe(0)
    expect(await world.sql('select id from audit_log where id = any($1::uuid[])', [`{${rows.join(',')}}`])).toEqual([
      { id: rows[3] },
    ])
    const copy = await copyAudit(world)
    expect((await copy.verify()).fault).toBeNull()
    await copy.tamper("update audit_prunings set head = sha256('x')")
    expect((await copy.verify()).fault).toMatchObject({ what: 'the HMAC of the pruning is wrong' })
    await copy.tamper('delete from audit_prunings')
    expect((await copy.verify()).fault).not.toBeNull()
  })

  it('deletes checkpoints that no row needs, and later the chain that is empty; each leaves a signature', async () => {
    const own = await createWorld(inject('control'), { rateLimits: false })
    try {
      const at = (days: number) => ({ now: () => new Date(Date.now() - days * dayMs) })
      const writeAndChain = async (subject: string, days: number) => {
        await write({ ...own.user(subject), ...at(days) })
        await chainAudit({ ...own.job(), ...at(days) })
      }
      const left = async (table: string) => Number((await own.sql(`select count(*) as n from ${table}`))[0]?.['n'])
      const before = new Date(Date.now() - 400 * dayMs)
      for (const days of [900, 850, 800]) await writeAndChain('gone', days)
      for (const days of [700, 30]) await writeAndChain('stays', days)
      const anchors = (await own.sql('select number, mac from audit_checkpoints order by number')).map((row) => ({
        number: Number(row['number']),
        mac: String(row['mac']).slice(2, 34),
      }))
      // Rows need them.
      expect(await pruneAuditCheckpoints(own.job(), before, 100)).toBe(0)
      expect(await pruneAudit({ ...own.job(), ...at(500) }, before, 100)).toBe(4)
      expect(await pruneAuditCheckpoints(own.job(), before, 2)).toBe(2)
      const half = await copyAudit(own)
      expect((await half.verify({ anchors })).fault).toBeNull()
      expect(await pruneAuditCheckpoints(own.job(), before, 100)).toBe(2)
      expect(await pruneAuditCheckpoints(own.job(), before, 100)).toBe(0)
      expect([await left('audit_checkpoints'), await left('audit_chains'), await left('audit_prunings')]).toEqual([
        1, 1, 2,
      ])
      const copy = await copyAudit(own)
      expect((await copy.verify({ anchors })).fault).toBeNull()
      const wrong = { number: 4, mac: '00'.repeat(16) }
      expect((await copy.verify({ anchors: [wrong] })).fault).toMatchObject({ checkpoint: 4 })
      await copy.tamper("update audit_prunings set head = sha256('x') where chain = $1", [noChain])
      expect((await copy.verify()).fault).toMatchObject({ what: 'the HMAC of the pruning is wrong' })
      await copy.tamper('delete from audit_prunings where chain = $1', [noChain])
      expect((await copy.verify()).fault).toMatchObject({ what: 'the checkpoint before it is missing' })
      // The person returns: a new chain, and the trail verifies.
      await writeAndChain('gone', 0)
      expect((await (await copyAudit(own)).verify()).fault).toBeNull()
    } finally {
      await own.stop()
    }
  })

  it('keeps the newest checkpoint, however old it is, so that the next one follows it', async () => {
    const own = await createWorld(inject('control'), { rateLimits: false })
    try {
      const past = { now: () => new Date(Date.now() - 900 * dayMs) }
      await write({ ...own.user('idle'), ...past })
      await chainAudit({ ...own.job(), ...past })
      const before = new Date(Date.now() - 400 * dayMs)
      expect(await pruneAudit(own.job(), before, 100)).toBe(1)
      expect(await pruneAuditCheckpoints(own.job(), before, 100)).toBe(0)
      await expect(
        own.sql("select app.prune_checkpoints(1, sha256('x'), now(), 'a1', sha256('x'), 10)"),
      ).rejects.toThrow('the audit trail keeps its checkpoints')
    } finally {
      await own.stop()
    }
  })

  it.each([
    ['one of the last year', '(select max(number) - 1 from audit_checkpoints)'],
    ['the newest', '(select max(number) from audit_checkpoints)'],
  ])('deletes no checkpoint that rows or the next one need, for any request: %s', async (_, number) => {
    await expect(
      world.sql(`select app.prune_checkpoints(${number}, sha256('x'), now(), 'a1', sha256('x'), 10)`),
    ).rejects.toThrow('the audit trail keeps its checkpoints')
  })

  it('deletes no row of the last year for any request', async () => {
    await expect(pruneAudit(world.job(), new Date(Date.now() + dayMs), 100)).rejects.toMatchObject({
      sqlState: 'WN009',
    })
  })
})
