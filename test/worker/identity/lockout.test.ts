// Limits on guessing. Strangers cannot use them to lock out the owner of an account.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { deviceTokenSeconds } from '../../../src/identity/policy.ts'
import { logOutEverywhere } from '../../../src/identity/logout.ts'
import { enrollTotp } from '../../../src/identity/manage-totp.ts'
import { register } from '../../../src/identity/register.ts'
import { verifyEmail } from '../../../src/identity/verify-email.ts'
import { type Accounts, clientOf, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

const wrong = 'the guess of a stranger'
let count = 0
async function owner() {
  const email = `owner-${(count += 1)}@example.com`
  return { email, grant: await accounts.signUp(email) }
}
/** Networks that no other test uses. */
const strangers = (many: number) => Array.from({ length: many }, () => `198.51.${(count += 1)}.0/24`)
const elsewhere = () => strangers(1)[0] ?? ''

/** The results of ten guesses from each network. */
async function guessFrom(networks: readonly string[], email: string): Promise<string[]> {
  const codes: string[] = []
  for (const network of networks)
    codes.push(
      ...(await Promise.all(
        Array.from({ length: 10 }, () => refusal(accounts.signIn(email, wrong, null, { network }))),
      )),
    )
  return codes
}
const countOf = (codes: readonly string[], code: string) => codes.filter((one) => one === code).length

describe('strangers who guess an account’s password', () => {
  it('do not refuse its owner in another network', async () => {
    const { email } = await owner()
    const [first = '', second = ''] = strangers(2)
    expect(countOf(await guessFrom([first, second, first], email), 'invalid_credentials')).toBe(20)
    expect(await refusal(accounts.signIn(email, goodPassword, null, { network: first }))).toBe('rate_limited')
    await accounts.signIn(email)
  })

  it('have 100 failures an hour together, which a device that signed in before does not share', async () => {
    const { email, grant } = await owner()
    const codes = await guessFrom(strangers(11), email)
    expect([countOf(codes, 'invalid_credentials'), countOf(codes, 'rate_limited')]).toEqual([100, 10])
    const network = elsewhere()
    expect(await refusal(accounts.signIn(email, goodPassword, null, { network }))).toBe('rate_limited')
    await accounts.signIn(email, goodPassword, null, { network, deviceToken: grant.deviceToken })
    await accounts.age(3600 + 1)
    await accounts.signIn(email, goodPassword, null, { network })
  })

  it('do not refuse a live session its password change or its second factor', async () => {
    const { email, grant } = await owner()
    const user = await accounts.as(grant)
    await guessFrom([...strangers(10), '192.0.2.0/24'], email)
    expect(await refusal(accounts.signIn(email))).toBe('rate_limited')
    await enrollTotp(user, goodPassword)
    await changePassword(user, { current: goodPassword, replacement: 'quite another password' })
  })

  it('do not use up the limit of a live session with their sessions', async () => {
    const { email, grant } = await owner()
    const thief = await accounts.as(await accounts.signIn(email))
    for (let guess = 0; guess < 11; guess += 1) await refusal(enrollTotp(thief, wrong))
    expect(await refusal(enrollTotp(thief, goodPassword))).toBe('rate_limited')
    await enrollTotp(await accounts.as(grant), goodPassword)
  })

  it('do not keep a newcomer from registering and verifying the address', async () => {
    const email = `newcomer-${(count += 1)}@example.com`
    for (const network of strangers(2))
      for (let mail = 0; mail < 6; mail += 1)
        await register({ ...accounts.ctx, client: clientOf(network) }, { email, password: wrong })
    await guessFrom([...strangers(10), '192.0.2.0/24'], email)
    await register(accounts.ctx, { email, password: goodPassword })
    const grant = await verifyEmail(accounts.ctx, { code: accounts.mailedCode(email), password: goodPassword })
    const again = await accounts.signIn(email, goodPassword, null, { deviceToken: grant.deviceToken })
    expect((await accounts.as(again)).actor.kind).toBe('user')
  })

  it('do not keep the owner from a reset, after which a new device gets in', async () => {
    const { email } = await owner()
    for (const network of strangers(2))
      for (let mail = 0; mail < 6; mail += 1)
        await forgotPassword({ ...accounts.ctx, client: clientOf(network) }, email)
    await guessFrom(strangers(10), email)
    await forgotPassword(accounts.ctx, email)
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(email), password: 'a password set by mail' })
    const grant = await accounts.signIn(email, 'a password set by mail', null, { network: elsewhere() })
    expect((await accounts.as(grant)).actor.kind).toBe('user')
  })

  it('learn nothing of an account from their own limit when its owner signs in', async () => {
    const { email: known } = await owner()
    const unknown = `nobody-${(count += 1)}@example.com`
    const seen = async (email: string) => {
      const network = elsewhere()
      const guess = () => refusal(accounts.signIn(email, wrong, null, { network }))
      const codes = await Promise.all(Array.from({ length: 9 }, guess))
      if (email === known) await accounts.signIn(email)
      return [...codes, await guess(), await guess(), await guess()]
    }
    expect(await seen(known)).toEqual(await seen(unknown))
  })
})

describe('a device token', () => {
  const enter = (email: string, deviceToken: string, password = goodPassword) =>
    accounts.signIn(email, password, null, { network: busy, deviceToken })
  const busy = '203.0.113.0/24'
  /** An account whose limit for strangers is used up in the network `busy`. */
  async function besieged() {
    const who = await owner()
    await guessFrom([busy], who.email)
    expect(await refusal(enter(who.email, ''))).toBe('rate_limited')
    return who
  }

  it('has a separate limit, which a sign-in resets', async () => {
    const { email, grant } = await besieged()
    for (let guess = 0; guess < 9; guess += 1)
      expect(await refusal(enter(email, grant.deviceToken, wrong))).toBe('invalid_credentials')
    const next = await enter(email, grant.deviceToken)
    for (let guess = 0; guess < 10; guess += 1)
      expect(await refusal(enter(email, grant.deviceToken, wrong))).toBe('invalid_credentials')
    expect(await refusal(enter(email, grant.deviceToken))).toBe('rate_limited')
    await enter(email, next.deviceToken)
  })

  it('is of one account, and no other text is one', async () => {
    const { email } = await besieged()
    const { grant: another } = await owner()
    const { deviceToken } = another
    const flipped = `${deviceToken.startsWith('A') ? 'B' : 'A'}${deviceToken.slice(1)}`
    for (const text of [deviceToken, flipped, deviceToken.slice(4), 'A'.repeat(72), 'junk'])
      expect(await refusal(enter(email, text))).toBe('rate_limited')
  })

  it('expires', async () => {
    const { email, grant } = await besieged()
    accounts.advance(deviceTokenSeconds)
    try {
      expect(await refusal(enter(email, grant.deviceToken))).toBe('rate_limited')
    } finally {
      accounts.advance(-deviceTokenSeconds)
    }
    await enter(email, grant.deviceToken)
  })

  it('is revoked by signing out everywhere, and not by a reset of the password', async () => {
    const { email, grant } = await besieged()
    await forgotPassword(accounts.ctx, email)
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(email), password: 'a password set by mail' })
    const next = await enter(email, grant.deviceToken, 'a password set by mail')
    await logOutEverywhere(await accounts.as(next))
    for (const { deviceToken } of [grant, next])
      expect(await refusal(enter(email, deviceToken, 'a password set by mail'))).toBe('rate_limited')
  })
})
