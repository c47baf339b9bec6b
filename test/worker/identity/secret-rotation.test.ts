// A rotation of SECRET_KEY: everything that it signed or derived continues to work while the previous key is configured, and
// ends with it. Three versions of the Worker: before (the new key is accepted already), during, and after the rotation.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { verifyAccessToken } from '../../../src/auth/access-token.ts'
import type { Ctx, Services } from '../../../src/context.ts'
import { utf8 } from '../../../src/crypto/encoding.ts'
import { forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { readDeviceToken } from '../../../src/identity/device-token.ts'
import { login } from '../../../src/identity/login.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import type { SessionGrant, SignedIn } from '../../../src/identity/session.ts'
import { type Accounts, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'

const [oldKey, newKey] = [
  utf8('the old key of these tests, 32 bytes or more'),
  utf8('the new key of these tests, 32 bytes or more'),
]

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

/** The Worker with these keys. */
function versionWith(secret: Uint8Array, previousSecret: Uint8Array | null): Ctx {
  const given = accounts.services
  const services: Services = {
    ...given,
    auth: { mode: 'builtin', secret, previousSecret },
    identity: async () => {
      const identity = await given.identity?.()
      if (identity === undefined) throw new Error('Accounts are not built in.')
      return { ...identity, secret, previousSecret }
    },
  }
  return { ...accounts.ctx, services }
}
const start = () => versionWith(oldKey, null)
const before = () => versionWith(oldKey, newKey)
const during = () => versionWith(newKey, oldKey)
const after = () => versionWith(newKey, null)

let count = 0
async function signedIn(version: Ctx): Promise<SignedIn & { email: string }> {
  const email = `rotated-${(count += 1)}@example.com`
  await accounts.signUp(email)
  const credentials = { email, password: goodPassword, code: null, scope: 'full', deviceToken: null } as const
  return { ...(await login(version, credentials)), email }
}
const subjectAt = async ({ services, now }: Ctx, { accessToken }: SessionGrant) =>
  (await verifyAccessToken(accessToken, services.auth, now())).subject
const renewAt = (version: Ctx, { refreshToken }: SessionGrant) => refresh(version, refreshToken)

describe('an access token', () => {
  it('is valid until the key that signed it is removed', async () => {
    const grant = await signedIn(start())
    const subject = await subjectAt(start(), grant)
    expect(await subjectAt(before(), grant)).toBe(subject)
    expect(await subjectAt(during(), grant)).toBe(subject)
    expect(await refusal(subjectAt(after(), grant))).toBe('unauthorized')
  })

  it('is valid in a version of the Worker that has its key as the previous one', async () => {
    const grant = await signedIn(during())
    expect(await subjectAt(before(), grant)).toBe(await subjectAt(after(), grant))
    expect(await refusal(subjectAt(start(), grant))).toBe('unauthorized')
  })
})

describe('a refresh token', () => {
  it('gives another one across the whole rotation', async () => {
    let grant: SessionGrant = await signedIn(start())
    const subject = await subjectAt(start(), grant)
    for (const version of [start(), before(), during(), after()]) grant = await renewAt(version, grant)
    expect(await subjectAt(after(), grant)).toBe(subject)
  })

  it.each([
    ['the version before, then the one during', before, during],
    ['the version during, then the one before', during, before],
  ] as const)('returns the same successor for ten seconds to %s the rotation', async (_name, first, second) => {
    const grant = await signedIn(start())
    const next = await renewAt(first(), grant)
    const again = await renewAt(second(), grant)
    expect(again.refreshToken).toBe(next.refreshToken)
    await renewAt(second(), next)
  })

  it('ends its session when it is reused during the rotation', async () => {
    const grant = await signedIn(start())
    const next = await renewAt(during(), await renewAt(before(), grant))
    expect(await refusal(renewAt(during(), grant))).toBe('unauthorized')
    expect(await refusal(renewAt(during(), next))).toBe('unauthorized')
  })
})

describe('a device token', () => {
  it('is recognized until the previous key is removed', async () => {
    const { deviceToken, email } = await signedIn(start())
    const deviceAt = async ({ services, now }: Ctx) => {
      const identity = await services.identity?.()
      return identity === undefined ? null : await readDeviceToken(identity, email, deviceToken, now())
    }
    const device = await deviceAt(start())
    expect(device).not.toBeNull()
    expect(await deviceAt(before())).toEqual(device)
    expect(await deviceAt(during())).toEqual(device)
    expect(await deviceAt(after())).toBeNull()
  })
})

describe('what does not depend on SECRET_KEY', () => {
  it('is a code in an e-mail, a password and a second factor', async () => {
    const email = `independent-${(count += 1)}@example.com`
    const { code } = await accounts.addTotp(await accounts.signUp(email))
    await forgotPassword(start(), email)
    const password = 'another long password'
    await resetPassword(after(), { code: accounts.mailedCode(email), password })
    const grant = await login(after(), { email, password, code: code(), scope: 'full', deviceToken: null })
    expect(await subjectAt(after(), grant)).toMatch(/^[0-9a-f-]{36}$/)
  })
})
