// The HMAC of a row of the audit trail covers every field, in one encoding.
import { describe, expect, it } from 'vitest'
import { createAuditKeys } from '../../../src/audit/keys.ts'
import { actorHash, fieldsOf, type SignedRow } from '../../../src/audit/signed-row.ts'
import { encodeHex } from '../../../src/crypto/encoding.ts'

const secretOf = (byte: number) => new Uint8Array(32).fill(byte)
const keys = createAuditKeys({ current: { id: 'a2', secret: secretOf(2) }, previous: [] })
const row: SignedRow = {
  id: '00000000-0000-4000-8000-000000000001',
  at: new Date('2026-01-02T03:04:05.678Z'),
  actorKind: 'user',
  actorHash: secretOf(7),
  action: 'item_removed',
  targetKind: 'item',
  targetId: 'target',
  requestId: 'request',
  correlationId: 'correlation',
  network: 'network',
}
const others: Required<SignedRow> = {
  id: '00000000-0000-4000-8000-000000000002',
  at: new Date('2026-01-02T03:04:05.679Z'),
  actorKind: 'admin',
  actorHash: secretOf(8),
  action: 'item_purged',
  targetKind: 'user',
  targetId: null,
  requestId: '',
  correlationId: null,
  network: null,
}

describe('the HMAC of a row', () => {
  it.each(Object.keys(others))('is another one when %s changes', async (field) => {
    const signed = await keys.sign('row', fieldsOf(row))
    expect(await keys.verify('row', fieldsOf(row), signed)).toBe('valid')
    const changed = { ...row, [field]: Reflect.get(others, field) }
    expect(await keys.verify('row', fieldsOf(changed), signed)).toBe('invalid')
  })

  it('differs for an absent field and an empty one, and for text that moves from one field to the next', async () => {
    const signed = await keys.sign('row', fieldsOf({ ...row, network: null }))
    expect(await keys.verify('row', fieldsOf({ ...row, network: '' }), signed)).toBe('invalid')
    const moved = { ...row, requestId: 'requestc', correlationId: 'orrelation' }
    expect(await keys.verify('row', fieldsOf(moved), await keys.sign('row', fieldsOf(row)))).toBe('invalid')
  })

  it('is the one that an independent implementation computed', async () => {
    const { keyId, mac } = await keys.sign('row', fieldsOf(row))
    expect([keyId, encodeHex(mac)]).toEqual(['a2', 'e25c0f93ce871f56071054a63ea477a06f42825bc0c1816f3f140987b2c4d06e'])
  })

  it('is verified with the key that made it, also after the key was replaced', async () => {
    const signed = await keys.sign('row', fieldsOf(row))
    const current = { id: 'a3', secret: secretOf(3) }
    const rotated = createAuditKeys({ current, previous: [{ id: 'a2', secret: secretOf(2) }] })
    expect(await rotated.verify('row', fieldsOf(row), signed)).toBe('valid')
    expect((await rotated.sign('row', fieldsOf(row))).keyId).toBe('a3')
    const forgetful = createAuditKeys({ current, previous: [] })
    expect(await forgetful.verify('row', fieldsOf(row), signed)).toBe('unknown_key')
  })
})

describe('the hash of an actor', () => {
  it('depends on the salt, the issuer and the subject', async () => {
    const hash = async (salt: number, issuer: string, subject: string) =>
      encodeHex(await actorHash(secretOf(salt), { issuer, subject }))
    const different = [await hash(1, 'ab', 'c'), await hash(2, 'ab', 'c'), await hash(1, 'a', 'bc')]
    expect(new Set(different).size).toBe(3)
    expect(await hash(1, 'ab', 'c')).toBe(different[0])
  })
})
