// The cost of a password hash is below workerd's limit.
import { describe, expect, it } from 'vitest'
import { currentCost } from '../../../src/identity/password.ts'

/** The largest N·r·p that workerd accepts (src/workerd/io/limit-enforcer.h). Above it, every sign-in would fail. */
const workerdLimit = 2 ** 20

describe('the cost of a password hash', () => {
  it("stays below workerd's limit of scrypt's N·r·p", () => {
    const { logN, r, p } = currentCost
    expect(2 ** logN * r * p).toBeLessThan(workerdLimit)
  })
})
