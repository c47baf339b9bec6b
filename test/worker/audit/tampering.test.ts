// Six ways to falsify the audit trail, each done to a copy by one who may write every table and has no key: edit,
// delete, insert, reorder, truncate, rewrite. The verification names the first row that is wrong.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import { chainAudit } from '../../../src/audit/chain.ts'
import { createAuditKeys } from '../../../src/audit/keys.ts'
import { checkpointFields, linkFields } from '../../../src/audit/signed-chain.ts'
import type { Anchor } from '../../../src/audit/verify.ts'
import type { Ctx } from '../../../src/context.ts'
import { decodeHex, encodeHex } from '../../../src/crypto/encoding.ts'
import { recordAudit } from '../../../src/db/audit/record.ts'
import { execute } from '../../../src/db/core/client.ts'
import { type AuditCopy, copyAudit } from '../../support/audit-copy.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
/** The ids of the rows in the order of their chains; the last one of the system's is not chained yet. */
const ids: Record<string, string[]> = {}

async function write(ctx: Ctx, trail: string): Promise<void> {
  const action = ctx.actor.kind === 'user' ? 'item_removed' : 'key_rotation_started'
  const row = await audit(ctx, { action, target: crypto.randomUUID() })
  await execute(world.services.jobs, [recordAudit(row)])
  ;(ids[trail] ??= []).push(row.id)
}

beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
  for (let run = 0; run < 3; run += 1) {
    for (const subject of ['ann', 'bob']) for (let n = 0; n < 2; n += 1) await write(world.user(subject), subject)
    await write(world.job(), 'system')
    await chainAudit(world.job())
  }
  await write(world.job(), 'system')
})
afterAll(() => world.stop())

const idOf = (trail: string, index: number): string => ids[trail]?.[index] ?? 'no such row'
/** The chain of a trail. */
async function chainOf(copy: AuditCopy, trail: string): Promise<string> {
  const [row] = await copy.tamper('select chain from audit_links where audit_id = $1', [idOf(trail, 0)])
  return String(row?.['chain'])
}

async function lastCheckpoint(): Promise<Anchor> {
  const [row] = await world.sql(
    "select number, encode(mac, 'hex') as mac from audit_checkpoints order by number desc limit 1",
  )
  return { number: Number(row?.['number']), mac: String(row?.['mac']).slice(0, 32) }
}

describe('the trail as it is', () => {
  it('verifies, and reports the row that waits for its chain', async () => {
    const copy = await copyAudit(world)
    for (const pageSize of [1, 3, 1000])
      expect(await copy.verify({ pageSize, anchors: [await lastCheckpoint()] })).toMatchObject({
        fault: null,
        rows: 15,
        chains: 3,
        unchained: 1,
        oldestUnchainedAt: expect.any(Date),
        checkpoint: await lastCheckpoint(),
      })
  })

  it('verifies after a person was erased, whose chain then has no name', async () => {
    const copy = await copyAudit(world)
    await copy.tamper("delete from audit_people where person like '%ann'")
    await copy.tamper("update audit_chains set person = null where person like '%ann'")
    expect(await copy.verify()).toMatchObject({ fault: null, rows: 15 })
  })
})

describe('an edit of the audit trail', () => {
  it.each([
    "at = at + interval '1 millisecond'",
    "actor_kind = 'admin'",
    'actor_hash = sha256(actor_hash)',
    "action = 'item_purged'",
    "target_kind = 'user'",
    'target_id = null',
    "request_id = 'another'",
    "correlation_id = 'another'",
    "network = 'another'",
    "key_id = 'another'",
    'mac = sha256(mac)',
  ])('is found in the field of a row: %s', async (edit) => {
    const copy = await copyAudit(world)
    await copy.tamper(`update audit_log set ${edit} where id = $1`, [idOf('ann', 3)])
    expect((await copy.verify()).fault).toMatchObject({ auditId: idOf('ann', 3), number: 4 })
  })

  it('is found in a row that is not chained yet', async () => {
    const copy = await copyAudit(world)
    await copy.tamper("update audit_log set action = 'item_purged' where id = $1", [idOf('system', 3)])
    expect((await copy.verify()).fault).toEqual({ what: 'the HMAC of the row is wrong', auditId: idOf('system', 3) })
  })

  it.each([
    ['actor', 'the row names another actor'],
    ['owner', 'the row is in another trail than its chain'],
  ])('is found in the %s of a row, who is not signed', async (part, what) => {
    const copy = await copyAudit(world)
    await copy.tamper(
      `update audit_people set person = (select person from audit_people where audit_id = $1 and part = 'actor')
        where audit_id = $2 and part = $3`,
      [idOf('bob', 0), idOf('ann', 3), part],
    )
    expect((await copy.verify()).fault).toMatchObject({ what, auditId: idOf('ann', 3) })
  })

  it.each([
    ['actor', 'the row names another actor'],
    ['owner', 'the row names another API key in its trail'],
  ])('is found in the API key of a row, next to its %s', async (part, what) => {
    const copy = await copyAudit(world)
    await copy.tamper("update audit_people set api_key = 'wn_test_another0' where audit_id = $1 and part = $2", [
      idOf('ann', 3),
      part,
    ])
    expect((await copy.verify()).fault).toMatchObject({ what, auditId: idOf('ann', 3) })
  })

  it.each([
    ['audit_links', "previous = sha256('x')", 'the link does not follow the one before it'],
    ['audit_links', 'checkpoint = 3', 'the HMAC of the link is wrong'],
    ['audit_links', "mac = sha256('x')", 'a link that the checkpoint names is missing or another one'],
  ])('is found in %s: %s', async (table, edit, what) => {
    const copy = await copyAudit(world)
    await copy.tamper(`update ${table} set ${edit} where audit_id = $1`, [idOf('ann', 3)])
    expect((await copy.verify()).fault).toMatchObject({ what })
  })

  it.each(["heads = ''", "at = at - interval '1 day'", 'previous = null', "mac = sha256('x')"])(
    'is found in a checkpoint: %s',
    async (edit) => {
      const copy = await copyAudit(world)
      await copy.tamper(`update audit_checkpoints set ${edit} where number = 2`)
      expect((await copy.verify()).fault).toMatchObject({ checkpoint: 2 })
    },
  )
})

describe('a deletion', () => {
  it('is found by the link of the row, which names it', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('delete from audit_log where id = $1', [idOf('bob', 2)])
    expect((await copy.verify()).fault).toMatchObject({
      what: 'the row of the link is missing',
      auditId: idOf('bob', 2),
    })
  })

  it('is found by the next link, where the row and its link are missing', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('delete from audit_log where id = $1', [idOf('bob', 2)])
    await copy.tamper('delete from audit_links where audit_id = $1', [idOf('bob', 2)])
    const { fault } = await copy.verify()
    expect(fault).toMatchObject({ what: 'link 3 of the chain is missing', auditId: idOf('bob', 3) })
  })

  it('is found by the row, where its link is missing', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('delete from audit_links where audit_id = $1', [idOf('bob', 2)])
    expect((await copy.verify()).fault).toMatchObject({ auditId: idOf('bob', 2) })
  })

  it('leaves no trace of a row that is not chained yet; the report counts these rows', async () => {
    const copy = await copyAudit(world)
    expect(await copy.verify()).toMatchObject({ unchained: 1 })
    await copy.tamper('delete from audit_log where id = $1', [idOf('system', 3)])
    expect(await copy.verify()).toMatchObject({ fault: null, unchained: 0 })
  })
})

describe('an insertion', () => {
  const insert = (copy: AuditCopy, id: string, from: string) =>
    copy.tamper(
      `insert into audit_log select (jsonb_populate_record(l, jsonb_build_object('id', $1::text))).* from audit_log l where id = $2`,
      [id, from],
    )

  it('is found in a row that copies the HMAC of another one', async () => {
    const copy = await copyAudit(world)
    const id = crypto.randomUUID()
    await insert(copy, id, idOf('ann', 0))
    await copy.tamper('insert into audit_unchained values ($1, now())', [id])
    expect((await copy.verify()).fault).toEqual({ what: 'the HMAC of the row is wrong', auditId: id })
  })

  it('is found in a genuine row that is in no chain', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('delete from audit_unchained')
    expect((await copy.verify()).fault).toEqual({
      what: 'the row is in no chain and waits for none',
      auditId: idOf('system', 3),
    })
  })

  it('is found at the end of a chain', async () => {
    const copy = await copyAudit(world)
    await copy.tamper(
      `insert into audit_links select chain, number + 1, mac, $1::uuid, checkpoint, key_id, mac from audit_links
        where audit_id = $2`,
      [idOf('system', 3), idOf('system', 2)],
    )
    expect((await copy.verify()).fault).toMatchObject({
      what: 'the HMAC of the link is wrong',
      auditId: idOf('system', 3),
    })
  })
})

describe('a reordering', () => {
  it('is found in two links of a chain', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('update audit_links set number = 7 - number where audit_id = any($1::uuid[])', [
      `{${idOf('ann', 2)},${idOf('ann', 3)}}`,
    ])
    expect((await copy.verify()).fault).not.toBeNull()
  })

  it('is found in two rows of a chain, with everything else in its place', async () => {
    const copy = await copyAudit(world)
    await copy.tamper(
      `update audit_links k set audit_id = o.audit_id from audit_links o where k.audit_id = any($1::uuid[])
        and o.audit_id = any($1::uuid[]) and o.audit_id <> k.audit_id`,
      [`{${idOf('ann', 2)},${idOf('ann', 3)}}`],
    )
    expect((await copy.verify()).fault).toMatchObject({ what: 'the HMAC of the link is wrong', number: 3 })
  })

  it('is found in two chains: a link belongs to its chain', async () => {
    const copy = await copyAudit(world)
    const [ann, bob] = [await chainOf(copy, 'ann'), await chainOf(copy, 'bob')]
    await copy.tamper(
      'update audit_links set chain = case chain when $1 then $2::uuid else $1::uuid end where chain in ($1, $2)',
      [ann, bob],
    )
    expect((await copy.verify()).fault).not.toBeNull()
  })
})

describe('a truncation', () => {
  const cut = async (copy: AuditCopy, trail: string, from: number) => {
    const chain = await chainOf(copy, trail)
    const where = 'where chain = $1 and number >= $2'
    await copy.tamper(`delete from audit_log where id in (select audit_id from audit_links ${where})`, [chain, from])
    await copy.tamper(`delete from audit_links ${where}`, [chain, from])
    return chain
  }

  it.each([
    ['the last row', 6],
    ['all rows', 1],
  ])('is found by the checkpoint that names the end of the chain: %s', async (_, from) => {
    const copy = await copyAudit(world)
    const chain = await cut(copy, 'ann', from)
    await copy.tamper('delete from audit_chains where id = $1', [chain])
    expect((await copy.verify()).fault).toMatchObject({
      what: 'a link that the checkpoint names is missing or another one',
      chain,
    })
  })

  it('is found by the links, where their checkpoint is missing', async () => {
    const copy = await copyAudit(world)
    await copy.tamper('delete from audit_checkpoints where number = 3')
    expect((await copy.verify()).fault).toMatchObject({
      what: 'checkpoint 3, which was signed with the link, is missing',
    })
  })

  it('is found by the copy of a later checkpoint, where everything since an earlier one is missing', async () => {
    const copy = await copyAudit(world)
    const anchor = await lastCheckpoint()
    await copy.tamper('delete from audit_log where id in (select audit_id from audit_links where checkpoint = 3)')
    await copy.tamper('delete from audit_links where checkpoint = 3')
    await copy.tamper('delete from audit_checkpoints where number = 3')
    expect((await copy.verify()).fault).toBeNull()
    expect((await copy.verify({ anchors: [anchor] })).fault).toEqual({
      what: 'the checkpoint that was kept is missing',
      checkpoint: 3,
    })
  })
})

describe('a full rewrite', () => {
  const forger = createAuditKeys({ current: { id: 'a1', secret: new Uint8Array(32).fill(9) }, previous: [] })

  /** Signs every link and checkpoint again, with the forger's key. */
  async function signAgain(copy: AuditCopy, links: boolean): Promise<void> {
    const bytes = (value: unknown) => (typeof value === 'string' ? decodeHex(value) : null)
    const checkpoints = await copy.tamper('select number, at, heads from audit_checkpoints order by number')
    let previous: Uint8Array | null = null
    for (const { number, at, heads } of checkpoints) {
      const fields = checkpointFields({
        number: Number(number),
        at: new Date(String(at)),
        previous,
        heads: String(heads),
      })
      const { mac } = await forger.sign('checkpoint', fields)
      await copy.tamper(
        "update audit_checkpoints set mac = decode($1, 'hex'), previous = decode($2, 'hex') where number = $3",
        [encodeHex(mac), previous === null ? null : encodeHex(previous), number],
      )
      previous = mac
    }
    if (!links) return
    const [first] = await copy.tamper(
      "select k.*, encode(k.previous, 'hex') as before, encode(l.mac, 'hex') as row_mac from audit_links k join audit_log l on l.id = k.audit_id order by k.chain, k.number limit 1",
    )
    const { mac } = await forger.sign(
      'link',
      linkFields({
        chain: String(first?.['chain']),
        number: 1,
        previous: null,
        auditId: String(first?.['audit_id']),
        rowMac: bytes(first?.['row_mac']) ?? new Uint8Array(),
        checkpoint: 1,
      }),
    )
    await copy.tamper("update audit_links set mac = decode($1, 'hex') where audit_id = $2", [
      encodeHex(mac),
      first?.['audit_id'],
    ])
  }

  it.each([true, false])('is found where another key signed it (links too: %s)', async (links) => {
    const copy = await copyAudit(world)
    await signAgain(copy, links)
    expect((await copy.verify()).fault).toMatchObject({ what: 'the HMAC of the checkpoint is wrong', checkpoint: 1 })
  })

  it('is found where the key has another id', async () => {
    const copy = await copyAudit(world)
    await copy.tamper("update audit_checkpoints set key_id = 'a9'")
    expect((await copy.verify()).fault).toMatchObject({ what: 'the key that signed the checkpoint is not configured' })
  })

  it('is found by the copy of any checkpoint, where nothing is left', async () => {
    const copy = await copyAudit(world)
    const anchor = await lastCheckpoint()
    for (const table of ['log', 'people', 'unchained', 'chains', 'links', 'checkpoints'])
      await copy.tamper(`delete from audit_${table}`)
    expect((await copy.verify()).fault).toBeNull()
    expect((await copy.verify({ anchors: [anchor] })).fault).toMatchObject({ checkpoint: anchor.number })
  })
})
