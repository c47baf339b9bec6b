import { describe, expect, it } from 'vitest'
import { createPseudonyms } from '../../../src/monitoring/pseudonyms.ts'
import { redact } from '../../../src/monitoring/redact.ts'

const secret = new TextEncoder().encode('a-secret-key-of-the-unit-tests-0123456789')
const names = createPseudonyms(secret)
const identity = { issuer: 'issuer', subject: 'ada@example.com' }
const noon = new Date('2026-01-31T12:00:00Z')

describe('a pseudonym', () => {
  it('is the same for the same thing, and another for another secret', async () => {
    const others = createPseudonyms(new TextEncoder().encode('another-secret-key-of-the-unit-tests-012345'))
    expect(await names.user(identity)).toBe(await createPseudonyms(secret).user(identity))
    expect(await others.user(identity)).not.toBe(await names.user(identity))
    expect(await others.account('ada@example.com')).not.toBe(await names.account('ada@example.com'))
  })

  it('changes at midnight UTC for a network', async () => {
    const of = (time: string) => names.network('203.0.113.0/24', new Date(time))
    expect(await of('2026-01-31T00:00:00Z')).toBe(await of('2026-01-31T23:59:59.999Z'))
    expect(await of('2026-02-01T00:00:00Z')).not.toBe(await of('2026-01-31T23:59:59.999Z'))
  })

  it('differs between kinds, and has 16 characters that no log redacts', async () => {
    const text = 'ada@example.com'
    const all = await Promise.all([
      names.user({ issuer: 'a', subject: 'bc' }),
      names.user({ issuer: 'ab', subject: 'c' }),
      names.account(text),
      names.network(text, noon),
    ])
    expect(new Set(all).size).toBe(4)
    for (const name of all) expect([name, redact(name)]).toEqual([expect.stringMatching(/^[\w-]{16}$/), name])
  })
})
