// Password hashes cost CPU time. Every cheaper check runs first, and unknown clients share one budget of hashes.
import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import type { Ctx } from '../../../src/context.ts'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { login } from '../../../src/identity/login.ts'
import { register } from '../../../src/identity/register.ts'
import { verifyEmail } from '../../../src/identity/verify-email.ts'
import { clientOf } from '../../../src/ratelimit/address.ts'
import { createLimiter, type LimiterObjects } from '../../../src/ratelimit/limiter.ts'
import type { RateLimiter } from '../../../src/ratelimit/object.ts'
import { createPolicies } from '../../../src/ratelimit/policies.ts'
import { type Accounts, createAccounts, goodPassword } from '../../support/accounts.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      RATE_LIMITER: DurableObjectNamespace<RateLimiter>
    }
  }
}

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

const wrong = 'the guess of a stranger'
let count = 0
const newEmail = () => `hashes-${(count += 1)}@example.com`

/** A deployment with a separate budget. Its isolates share its Durable Objects. */
function deployment(hashesPerMinute: number) {
  const name = `deployment ${(count += 1)}`
  const objects: LimiterObjects = { getByName: (object) => env.RATE_LIMITER.getByName(`${name} ${object}`) }
  const isolate = (given: LimiterObjects = objects): Ctx['services'] => ({
    ...accounts.services,
    limiter: createLimiter({ objects: given, timeoutMs: 20_000 }),
    identity: async () => {
      const identity = await accounts.services.identity?.()
      if (identity === undefined) throw new Error('Accounts are not built in.')
      return { ...identity, hashesPerMinute }
    },
  })
  let services = isolate()
  const from = (address: string): Ctx => ({ ...accounts.ctx, services, client: clientOf(address, null) })
  return {
    from,
    signIn: (address: string, email: string, password = wrong, deviceToken: string | null = null) =>
      accounts.cost(() => login(from(address), { email, password, code: null, scope: 'full', deviceToken })),
    /** The hashes that were spent in total, and by the provider of an address. */
    spent: (address: string) =>
      objects
        .getByName('password_hashes')
        .look(createPolicies().ofHash(clientOf(address, null), hashesPerMinute).buckets),
    /** Replaces the isolate by a new one, which remembers no refusal. */
    restart: () => void (services = isolate()),
    fail: () =>
      void (services = isolate({
        getByName: () => ({
          check: () => Promise.reject(new Error('overloaded')),
          look: () => Promise.reject(new Error('overloaded')),
        }),
      })),
  }
}

/** An address in a network and with a provider that no other test uses. */
const elsewhere = () => `2001:${(count += 1).toString(16)}:1::1`

describe('no password hash', () => {
  it('is computed for a reset with an invented, expired or used code', async () => {
    const email = newEmail()
    await accounts.signUp(email)
    const { ctx } = accounts
    const reset = (code: string) => accounts.cost(() => resetPassword(ctx, { code, password: goodPassword }))
    expect(await reset('AAAA-'.repeat(8))).toEqual({ hashes: 0, trips: 1, code: 'invalid_token' })
    await forgotPassword(ctx, email)
    const code = accounts.mailedCode(email)
    await accounts.age(3601)
    expect(await reset(code)).toEqual({ hashes: 0, trips: 1, code: 'invalid_token' })
    await forgotPassword(ctx, email)
    const good = accounts.mailedCode(email)
    expect(await reset(good)).toEqual({ hashes: 1, trips: 2, code: null })
    expect(await reset(good)).toEqual({ hashes: 0, trips: 1, code: 'invalid_token' })
  })

  it('is computed for a new password that contains the address', async () => {
    const email = newEmail()
    await accounts.signUp(email)
    await forgotPassword(accounts.ctx, email)
    const wish = { code: accounts.mailedCode(email), password: `my ${email} password` }
    const { hashes, code } = await accounts.cost(() => resetPassword(accounts.ctx, wish))
    expect([hashes, code]).toEqual([0, 'validation_failed'])
  })

  it('is computed for a registration whose e-mail is withheld', async () => {
    const wish = { email: newEmail(), password: goodPassword }
    const ctx = { ...accounts.ctx, client: clientOf(elsewhere(), null) }
    const costs: unknown[] = []
    for (let turn = 0; turn < 6; turn += 1) costs.push(await accounts.cost(() => register(ctx, wish)))
    const sent = { hashes: 1, trips: 2, code: null }
    expect(costs).toEqual([sent, sent, sent, sent, sent, { hashes: 0, trips: 1, code: null }])
  })
})

describe('the budget of hashes for unknown clients', () => {
  it('is exact, and the same with an account as without', async () => {
    const email = newEmail()
    await accounts.signUp(email)
    const { signIn, restart } = deployment(6)
    const ask = (index: number) => signIn(elsewhere(), index % 2 === 0 ? email : newEmail())
    const first = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(ask))
    expect(first.map(({ code }) => String(code)).toSorted()).toEqual([
      ...Array<string>(6).fill('invalid_credentials'),
      'rate_limited',
      'rate_limited',
    ])
    restart()
    expect(await ask(0)).toEqual({ hashes: 0, trips: 1, code: 'rate_limited' })
    expect(await ask(1)).toEqual({ hashes: 0, trips: 1, code: 'rate_limited' })
    expect(accounts.lines.filter((line) => line.includes('password_hashes_spent'))).toHaveLength(1)
  })

  it('says when to come again', async () => {
    const { from, signIn } = deployment(1)
    await signIn(elsewhere(), newEmail())
    const attempt = { email: newEmail(), password: wrong, code: null, scope: 'full', deviceToken: null } as const
    const refused = await login(from(elsewhere()), attempt).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'rate_limited', reason: 'limit hashes' })
    const { retryAfterSeconds } = z.object({ retryAfterSeconds: z.int() }).parse(refused)
    expect(retryAfterSeconds).toBeGreaterThan(50)
    expect(retryAfterSeconds).toBeLessThanOrEqual(60)
  })

  it('refuses registrations, verifications and resets too', async () => {
    const [verified, wished] = [newEmail(), newEmail()]
    await accounts.signUp(verified)
    await register(accounts.ctx, { email: wished, password: goodPassword })
    await forgotPassword(accounts.ctx, verified)
    const { from, signIn } = deployment(1)
    await signIn(elsewhere(), newEmail())
    const ctx = from(elsewhere())
    const codes = await Promise.all(
      [
        () => register(ctx, { email: newEmail(), password: goodPassword }),
        () => verifyEmail(ctx, { code: accounts.mailedCode(wished), password: goodPassword }),
        () => resetPassword(ctx, { code: accounts.mailedCode(verified), password: goodPassword }),
      ].map(async (work) => (await accounts.cost(work)).code),
    )
    expect(codes).toEqual(['rate_limited', 'rate_limited', 'rate_limited'])
    // Both codes are still valid.
    await verifyEmail(accounts.ctx, { code: accounts.mailedCode(wished), password: goodPassword })
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(verified), password: goodPassword })
  })

  it('never refuses a device that signed in before, nor a live session', async () => {
    const email = newEmail()
    const grant = await accounts.signUp(email)
    const { from, signIn } = deployment(1)
    await signIn(elsewhere(), newEmail())
    expect(await signIn(elsewhere(), email, goodPassword)).toMatchObject({ code: 'rate_limited' })
    expect(await signIn(elsewhere(), email, goodPassword, grant.deviceToken)).toMatchObject({ hashes: 1, code: null })
    const session = { ...(await accounts.as(grant)), services: from(elsewhere()).services }
    const change = { current: goodPassword, replacement: 'quite another password' }
    expect(await accounts.cost(() => changePassword(session, change))).toMatchObject({ hashes: 2, code: null })
  })

  it('leaves a second one to networks with a recent sign-in', async () => {
    const email = newEmail()
    await accounts.signUp(email)
    const { signIn, restart } = deployment(1)
    const [office, home] = [elsewhere(), elsewhere()]
    expect(await signIn(office, email, goodPassword)).toMatchObject({ code: null })
    expect(await signIn(home, email, goodPassword)).toMatchObject({ code: 'rate_limited' })
    restart()
    expect(await signIn(office.replace('1::1', '1:7::9'), email, goodPassword)).toMatchObject({ code: null })
    expect(await signIn(office, email, goodPassword)).toMatchObject({ code: 'rate_limited' })
  })

  it('gives one provider a sixth: thirty networks of one /32 do not use it up', async () => {
    const { signIn } = deployment(12)
    const provider = (count += 1).toString(16)
    const codes: unknown[] = []
    for (let network = 1; network <= 30; network += 1)
      codes.push((await signIn(`2001:${provider}:${network.toString(16)}::1`, newEmail())).code)
    expect(codes).toEqual([...Array(2).fill('invalid_credentials'), ...Array(28).fill('rate_limited')])
    expect(await signIn(elsewhere(), newEmail())).toMatchObject({ code: 'invalid_credentials' })
    const ipv4 = await Promise.all(
      ['198.18.1.1', '198.18.2.1', '198.18.3.1', '198.19.1.1'].map((address) => signIn(address, newEmail())),
    )
    expect(ipv4.map(({ code }) => String(code)).toSorted()).toEqual([
      ...Array(3).fill('invalid_credentials'),
      'rate_limited',
    ])
  })

  it('is not touched by what a cheaper check refuses', async () => {
    const email = newEmail()
    const { signIn, spent } = deployment(600)
    const guesser = elsewhere()
    await Promise.all(Array.from({ length: 10 }, () => signIn(guesser, email)))
    for (let turn = 0; turn < 20; turn += 1)
      expect(await signIn(guesser, email)).toEqual({ hashes: 0, trips: 1, code: 'rate_limited' })
    expect(await spent(guesser)).toEqual([10, 10])
  })

  it('is not touched by a reset with a made-up code, nor by a registration whose e-mail is withheld', async () => {
    const { from, spent } = deployment(600)
    const guesser = elsewhere()
    const ctx = from(guesser)
    for (let turn = 0; turn < 3; turn += 1)
      await resetPassword(ctx, { code: 'AAAA-'.repeat(8), password: goodPassword }).catch(() => undefined)
    expect(await spent(guesser)).toEqual([0, 0])
    const wish = { email: newEmail(), password: goodPassword }
    // Five e-mails are sent within an hour; the sixth is withheld.
    for (let turn = 0; turn < 6; turn += 1) await register(ctx, wish)
    expect(await spent(guesser)).toEqual([5, 5])
  })

  it('closes sign-ins while it cannot be counted', async () => {
    const { signIn, fail } = deployment(60)
    fail()
    expect(await signIn(elsewhere(), newEmail())).toEqual({ hashes: 0, trips: 1, code: 'unavailable' })
  })
})
