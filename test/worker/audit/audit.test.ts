// The audit trail over a real database: a row is written with its change or not at all, and never changes.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import { actorHash, actorKinds, fieldsOf } from '../../../src/audit/signed-row.ts'
import { decodeHex } from '../../../src/crypto/encoding.ts'
import { recordAudit } from '../../../src/db/audit/record.ts'
import { execute } from '../../../src/db/core/client.ts'
import { removeItem } from '../../../src/items/remove-item.ts'
import { startKeyRotation } from '../../../src/keys/rotate-keys.ts'
import { clientOf } from '../../../src/ratelimit/address.ts'
import { auditOf } from '../../support/audit.ts'
import { link } from '../../support/linked.ts'
import { query } from '../../support/sql.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld(inject('control'), { rateLimits: false })
})
afterAll(() => world.stop())
afterEach(async () => {
  await world.stack.clearFaults(world.database.name)
  world.queue.length = 0
})

const bytes = (text: unknown) => decodeHex(String(text).replace(/^\\x/, ''))
const stored = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** Whether the HMAC of a stored row is valid. */
async function verified(row: Record<string, unknown>): Promise<string> {
  const kind = actorKinds.find((name) => name === row['actor_kind'])
  const mac = bytes(row['mac'])
  if (kind === undefined || mac === null) throw new TypeError('a row without an actor or an HMAC')
  const fields = fieldsOf({
    id: String(row['id']),
    at: new Date(String(row['at'])),
    actorKind: kind,
    actorHash: row['actor_hash'] === null ? null : bytes(row['actor_hash']),
    action: String(row['action']),
    targetKind: String(row['target_kind']),
    targetId: stored(row['target_id']),
    requestId: String(row['request_id']),
    correlationId: stored(row['correlation_id']),
    network: stored(row['network']),
  })
  return await world.services.auditKeys.verify('row', fields, { keyId: String(row['key_id']), mac })
}

const firstOf = <Row>([row]: readonly Row[]): Row => {
  if (row === undefined) throw new TypeError('no row')
  return row
}

describe('the removal of an item', () => {
  it('is one row: who, what, which item, from where, with a valid HMAC', async () => {
    const item = await link(world, 'seen')
    const client = clientOf('192.0.2.7', null)
    const ctx = { ...world.user('seen'), client, correlationId: 'from the client' }
    await removeItem(ctx, item.id, { purge: false })
    const rows = await auditOf(world, item.id)
    const removed = rows.filter(({ action }) => action === 'item_removed')
    expect(removed).toEqual([
      expect.objectContaining({
        actor_kind: 'user',
        target_kind: 'item',
        request_id: ctx.requestId,
        correlation_id: 'from the client',
        network: await world.services.pseudonyms.network('192.0.2.0/24', new Date()),
      }),
    ])
    expect(await verified(firstOf(removed))).toBe('valid')
  })

  it('writes nothing when it changes nothing, and a second row when it brings the deletion forward', async () => {
    const item = await link(world, 'again')
    const remove = (purge: boolean) => removeItem(world.user('again'), item.id, { purge })
    await remove(false)
    await remove(false)
    await remove(true)
    const actions = (await auditOf(world, item.id)).map(({ action }) => action)
    expect(actions.filter((action) => String(action).startsWith('item_'))).toEqual([
      ...(actions.includes('item_linked') ? ['item_linked'] : []),
      'item_removed',
      'item_purged',
    ])
  })

  it.each(['update items set status', 'app.record_audit'])(
    'is missing, and so is its row, when the database fails at: %s',
    async (matching) => {
      const subject = `fails ${matching}`
      const item = await link(world, subject)
      await world.stack.addFault(world.database.name, { kind: 'fail-before', matching })
      await expect(removeItem(world.user(subject), item.id, { purge: false })).rejects.toMatchObject({
        code: 'unavailable',
      })
      expect((await auditOf(world, item.id)).filter(({ action }) => action === 'item_removed')).toEqual([])
      const [row] = await world.sql('select removed_at from items where id = $1', [item.id])
      expect(row).toEqual({ removed_at: null })
    },
  )
})

describe('the start of a key rotation', () => {
  it('is a row of the administrator, in no user’s trail', async () => {
    const ctx = world.user('operator')
    await startKeyRotation({ ...ctx, actor: { ...ctx.actor, role: 'admin', isAdministering: true } })
    const row = firstOf((await auditOf(world, world.services.keyring.currentKeyId)).toReversed())
    expect(row).toMatchObject({ actor_kind: 'admin', action: 'key_rotation_started', target_kind: 'encryption_key' })
    expect(await verified(row)).toBe('valid')
    const people = await world.sql('select part, person from audit_people where audit_id = $1', [row['id']])
    expect(people).toEqual([{ part: 'actor', person: '20:wealthnavigator-edgeoperator' }])
  })
})

describe('a row', () => {
  const record = async (subject: string) => {
    const row = await audit(world.user(subject), { action: 'item_removed', target: crypto.randomUUID() })
    await execute(world.services.jobs, [recordAudit(row)])
    return row
  }

  it('is written once, however often its batch is sent', async () => {
    const row = await record('twice')
    await execute(world.services.jobs, [recordAudit(row)])
    expect(await auditOf(world, String(row.targetId))).toHaveLength(1)
    expect(await world.sql('select 1 from audit_unchained where audit_id = $1', [row.id])).toHaveLength(1)
  })

  it('names the API key of its actor in the trail, with a valid hash, and no key once the actor is erased', async () => {
    const given = world.user('with a key')
    const apiKey = { id: crypto.randomUUID(), prefix: 'wn_test_example1', actsAs: 'user' } as const
    const ctx = { ...given, actor: { ...given.actor, apiKey } }
    const row = await audit(ctx, { action: 'item_removed', target: crypto.randomUUID() })
    await execute(world.services.jobs, [recordAudit(row)])
    const people = () =>
      world.sql("select part, api_key, salt from audit_people where audit_id = $1 order by part = 'owner'", [row.id])
    const [actor, owner] = await people()
    expect([actor?.['api_key'], owner?.['api_key']]).toEqual([apiKey.prefix, apiKey.prefix])
    const before = firstOf(await auditOf(world, String(row.targetId)))
    const salt = bytes(actor?.['salt']) ?? new Uint8Array()
    expect(bytes(before['actor_hash'])).toEqual(await actorHash(salt, given.actor.identity, apiKey.prefix))
    expect(bytes(before['actor_hash'])).not.toEqual(await actorHash(salt, given.actor.identity))
    expect(await verified(before)).toBe('valid')
    const { issuer, subject } = given.actor.identity
    await world.sql('select app.forget_in_audit($1, $2)', [issuer, subject])
    expect(await people()).toEqual([])
  })

  it('names its actor by a salted hash, and no person once the actor is erased', async () => {
    const { id, targetId, actor } = await record('erased')
    const before = firstOf(await auditOf(world, String(targetId)))
    const [person] = await world.sql("select salt from audit_people where audit_id = $1 and part = 'actor'", [id])
    const salt = bytes(person?.['salt'])
    if (salt === null || actor === null) throw new TypeError('no salt')
    expect(bytes(before['actor_hash'])).toEqual(await actorHash(salt, actor))
    const erased = await world.sql('select app.forget_in_audit($1, $2) as rows', [actor.issuer, actor.subject])
    expect(erased).toEqual([{ rows: '1' }])
    expect(await world.sql('select 1 from audit_people where audit_id = $1', [id])).toEqual([])
    const after = firstOf(await auditOf(world, String(targetId)))
    expect(after).toEqual(before)
    expect(await verified(after)).toBe('valid')
  })

  it.each([
    "update audit_log set action = 'another' where id = $1",
    'delete from audit_log where id = $1',
    'truncate audit_log cascade',
  ])('stays, also for the owner of the table: %s', async (statement) => {
    const { id, targetId } = await record(statement)
    const params = statement.includes('$1') ? [id] : []
    await expect(world.sql(statement, params)).rejects.toThrow('the audit trail is append-only')
    expect(await auditOf(world, String(targetId))).toHaveLength(1)
  })

  it.each(['apiUrl', 'jobsUrl', 'identityUrl'] as const)('is written by a function alone: %s', async (login) => {
    const { id } = await record(login)
    for (const statement of [
      'insert into public.audit_log select * from public.audit_log',
      'insert into public.audit_people select * from public.audit_people',
      `update public.audit_log set action = 'another' where id = '${id}'`,
      `update public.audit_people set person = 'another' where audit_id = '${id}'`,
      `delete from public.audit_log where id = '${id}'`,
      `delete from public.audit_people where audit_id = '${id}'`,
    ])
      await expect(query(world.database.endpoint, world.database[login], statement)).rejects.toThrow(
        'permission denied',
      )
  })
})
