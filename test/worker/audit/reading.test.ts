// The audit trail as an administrator reads it: each filter alone, filters together, pages, and the state of its verification.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { audit } from '../../../src/audit/audit.ts'
import { chainAudit } from '../../../src/audit/chain.ts'
import { verificationText } from '../../../src/audit/verification.ts'
import type { Verification } from '../../../src/audit/verify.ts'
import type { Ctx, User } from '../../../src/context.ts'
import { recordAudit } from '../../../src/db/audit/record.ts'
import { execute } from '../../../src/db/core/client.ts'
import { registerUser } from '../../../src/db/core/scope.ts'
import { auditVerificationRoute, listAllAuditRoute } from '../../../src/http/routes/admin/audit.ts'
import { ask } from '../../support/call-route.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
const users: Record<string, string> = {}
/** The ids of the rows, oldest first. */
const written: string[] = []
const targets = { one: crypto.randomUUID(), two: crypto.randomUUID() }

function admin(): Ctx<User> {
  const { actor, ...ctx } = world.user('operator')
  return { ...ctx, actor: { ...actor, role: 'admin' } }
}

async function write(ctx: Ctx, day: string, event: Parameters<typeof audit>[1]): Promise<void> {
  // No two rows at the same time, whose order would be that of random ids.
  const at = new Date(Date.parse(`${day}T12:00:00Z`) + written.length * 1000)
  const row = await audit({ ...ctx, now: () => at }, event)
  await execute(world.services.jobs, [recordAudit(row)])
  written.push(row.id)
}

beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
  const { api } = world.services
  for (const subject of ['ann', 'bob']) users[subject] = await registerUser(api, world.user(subject).actor.identity)
  const job: Ctx = world.job()
  await write(world.user('ann'), '2026-01-01', { action: 'item_removed', target: targets.one })
  await write(world.user('ann'), '2026-01-02', { action: 'sync_requested', target: targets.one })
  await write(world.user('bob'), '2026-01-02', { action: 'item_removed', target: targets.two })
  await write(job, '2026-01-03', { action: 'token_used', target: targets.one, owner: { userId: users['ann'] ?? '' } })
  await write({ ...job, actor: { kind: 'cron', name: 'retention' } }, '2026-01-04', {
    action: 'retention_started',
    target: null,
  })
  await write({ ...job, actor: { kind: 'webhook', name: 'ITEM' } }, '2026-01-05', {
    action: 'item_revoked',
    target: targets.two,
    owner: { userId: users['bob'] ?? '' },
  })
  await write(job, '2026-01-06', { action: 'sign_in_refused', target: null })
})
afterAll(() => world.stop())

const pageSchema = z.object({
  data: z.array(z.object({ id: z.string(), user: z.object({ subject: z.string() }).nullable() })),
  next_cursor: z.string().nullable(),
})
/** The numbers of the rows of this file that a query returns, in the order of the response. */
async function found(query: Record<string, string>): Promise<number[]> {
  const { data } = pageSchema.parse(await ask(admin(), listAllAuditRoute, { query: { limit: '100', ...query } }))
  return data.map(({ id }) => written.indexOf(id)).filter((index) => index !== -1)
}

describe('a filter of the audit trail', () => {
  it.each([
    ['action', { action: 'item_removed' }, [2, 0]],
    ['actor', { actor: 'cron' }, [4]],
    ['actor', { actor: 'webhook' }, [5]],
    ['actor', { actor: 'user' }, [2, 1, 0]],
    ['actor', { actor: 'command' }, []],
    ['from', { from: '2026-01-04', to: '2026-01-31' }, [6, 5, 4]],
    ['to', { to: '2026-01-02' }, [2, 1, 0]],
    ['days', { from: '2026-01-02', to: '2026-01-02' }, [2, 1]],
    ['action and day', { action: 'item_removed', from: '2026-01-02', to: '2026-01-31' }, [2]],
  ])('leaves the rows that it names: %s %j', async (_, query, expected) => {
    expect(await found(query)).toEqual(expected)
  })

  it('leaves the rows about a target, and those in the trail of a user', async () => {
    expect(await found({ target_id: targets.one })).toEqual([3, 1, 0])
    expect(await found({ user_id: users['ann'] ?? '' })).toEqual([3, 1, 0])
    expect(await found({ user_id: users['bob'] ?? '' })).toEqual([5, 2])
    expect(await found({ user_id: users['bob'] ?? '', action: 'item_revoked', target_id: targets.two })).toEqual([5])
    expect(await found({ user_id: users['bob'] ?? '', target_id: targets.one })).toEqual([])
    expect(await found({ user_id: users['bob'] ?? '', to: '2026-01-02' })).toEqual([2])
    expect(await found({ user_id: crypto.randomUUID() })).toEqual([])
  })

  it('goes through all pages once', async () => {
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const query: Record<string, string> = { to: '2026-01-31', limit: '2', ...(cursor === null ? {} : { cursor }) }
      const page = pageSchema.parse(await ask(admin(), listAllAuditRoute, { query }))
      seen.push(...page.data.map(({ id }) => written.indexOf(id)))
      cursor = page.next_cursor
    } while (cursor !== null)
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0])
  })
})

describe('the state of the verification', () => {
  const read = () => ask(admin(), auditVerificationRoute)
  const verified: Verification = {
    fault: null,
    rows: 7,
    chains: 3,
    unchained: 2,
    oldestUnchainedAt: new Date(),
    checkpoint: { number: 4, mac: '00'.repeat(16) },
  }
  const store = (day: string, verification: Verification) =>
    write(world.job(), day, { action: 'audit_verified', target: verificationText(verification) })

  it('is unknown before the first, with the rows that wait', async () => {
    expect(await read()).toEqual({
      last: null,
      // The seven, and the reads of administrators.
      waiting: expect.any(Number),
      waiting_since: '2026-01-01T12:00:00.000Z',
    })
    await chainAudit(world.job())
    expect(await read()).toMatchObject({ waiting: 1, waiting_since: expect.any(String) })
  })

  it('is the newest result, and the first fault of it', async () => {
    await store('2026-02-01', verified)
    expect(await read()).toMatchObject({
      last: {
        verified_at: '2026-02-01T12:00:07.000Z',
        valid: true,
        rows: 7,
        chains: 3,
        waiting: 2,
        checkpoint: `4:${'00'.repeat(16)}`,
        fault: null,
      },
    })
    await store('2026-02-02', { ...verified, fault: { what: 'the row of the link is missing', auditId: targets.one } })
    expect(await read()).toMatchObject({
      last: {
        valid: false,
        fault: {
          what: 'the row of the link is missing',
          audit_id: targets.one,
          chain: null,
          number: null,
          checkpoint: null,
        },
      },
    })
  })

  it('is a fault where the stored result is not as it was signed', async () => {
    await store('2026-02-03', verified)
    await world.sql('alter table audit_log disable trigger append_only')
    await world.sql("update audit_log set target_id = replace(target_id, '7', '9') where id = $1", [written.at(-1)])
    await world.sql('alter table audit_log enable trigger append_only')
    expect(await read()).toMatchObject({
      last: { valid: false, rows: 0, fault: { what: 'the HMAC of the row is wrong', audit_id: written.at(-1) } },
    })
  })
})
