// workerd computes a password hash at its cost and refuses any higher one. This proves the limit in
// test/unit/identity/scrypt-cost.test.ts.
import { describe, expect, it } from 'vitest'
import { currentCost } from '../../../src/identity/password.ts'
import { scrypt } from '../../../src/identity/scrypt.ts'

const bytes = new Uint8Array(16)

describe('scrypt in workerd', () => {
  it('computes the cost of a password hash', async () => {
    expect(await scrypt(bytes, bytes, currentCost, 32)).toHaveLength(32)
  })

  it('refuses a cost N·r·p above 2^20', async () => {
    const above = scrypt(bytes, bytes, { logN: 17, r: 8, p: 2 }, 32)
    await expect(above).rejects.toThrow('cost exceeds maximum (1048576)')
  })
})
