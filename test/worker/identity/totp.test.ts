// The second factor: it is required once it is confirmed, each code works once, and codes cannot be guessed.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { confirmTotp, disableTotp, enrollTotp } from '../../../src/identity/manage-totp.ts'
import type { SignedIn } from '../../../src/identity/session.ts'
import { stepAt, totpCode } from '../../../src/identity/totp.ts'
import {
  type Accounts,
  type Client,
  createAccounts,
  fromBase32,
  goodPassword,
  refusal,
} from '../../support/accounts.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

let count = 0
async function signUp(): Promise<{ email: string; grant: SignedIn }> {
  const email = `factor-${(count += 1)}@example.com`
  return { email, grant: await accounts.signUp(email) }
}
async function withTotp() {
  const who = await signUp()
  return { ...who, ...(await accounts.addTotp(who.grant)) }
}
const enter = (email: string, code: string | null) => accounts.signIn(email, goodPassword, code)
/** A code that is not valid in this time step or the neighbouring ones. */
const wrongCode = (right: string) => String((Number(right) + 1) % 1_000_000).padStart(6, '0')

describe('a second factor that is being enrolled', () => {
  it('counts for nothing until a code of it was shown', async () => {
    const { email, grant } = await signUp()
    const user = await accounts.as(grant)
    const { secret, uri } = await enrollTotp(user, goodPassword)
    expect(uri).toContain(`secret=${secret}`)
    await enter(email, null)
    const now = totpCode(fromBase32(secret), stepAt(accounts.ctx.now()))
    expect(await refusal(confirmTotp(user, wrongCode(now)))).toBe('invalid_code')
    await enter(email, null)
    const { recoveryCodes } = await confirmTotp(user, now)
    expect(new Set(recoveryCodes).size).toBe(10)
    expect(await refusal(enter(email, null))).toBe('totp_required')
  })

  it('needs the password, and no other second factor', async () => {
    const { grant, code } = await withTotp()
    const user = await accounts.as(grant)
    expect(await refusal(enrollTotp(user, 'not the password at all'))).toBe('invalid_credentials')
    expect(await refusal(enrollTotp(user, goodPassword))).toBe('conflict')
    expect(await refusal(confirmTotp(user, code()))).toBe('conflict')
  })

  it('again replaces what was not confirmed: of two secrets at once one counts', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const first = await enrollTotp(user, goodPassword)
    const second = await enrollTotp(user, goodPassword)
    const step = stepAt(accounts.ctx.now())
    expect(await refusal(confirmTotp(user, totpCode(fromBase32(first.secret), step)))).toBe('invalid_code')
    await confirmTotp(user, totpCode(fromBase32(second.secret), step))
    accounts.advance(30)
    await enter(email, totpCode(fromBase32(second.secret), stepAt(accounts.ctx.now())))
  })

  it('confirmed twice at once gives one list of recovery codes', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const { secret } = await enrollTotp(user, goodPassword)
    const code = totpCode(fromBase32(secret), stepAt(accounts.ctx.now()))
    const ended = await Promise.allSettled([confirmTotp(user, code), confirmTotp(user, code)])
    const won = ended.filter((one) => one.status === 'fulfilled')
    expect(won).toHaveLength(1)
    await enter(email, won[0]?.value.recoveryCodes[0] ?? '')
  })
})

describe('a TOTP code', () => {
  it('is accepted with the password, and never without', async () => {
    const { email, code } = await withTotp()
    expect(await refusal(accounts.signIn(email, 'not the password at all', code()))).toBe('invalid_credentials')
    await enter(email, code())
  })

  it('is accepted once and never again', async () => {
    const { email, code } = await withTotp()
    const now = code()
    await enter(email, now)
    expect(await refusal(enter(email, now))).toBe('invalid_code')
    accounts.advance(30)
    await enter(email, code())
  })

  it('is used up when it confirmed the secret', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const { secret } = await enrollTotp(user, goodPassword)
    const code = totpCode(fromBase32(secret), stepAt(accounts.ctx.now()))
    await confirmTotp(user, code)
    expect(await refusal(enter(email, code))).toBe('invalid_code')
  })

  it('is accepted once in eight concurrent requests', async () => {
    const { email, code } = await withTotp()
    const now = code()
    const ended = await Promise.allSettled(Array.from({ length: 8 }, () => enter(email, now)))
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('is refused for a step before a used one, although it was not used', async () => {
    const { email, code } = await withTotp()
    const before = code()
    accounts.advance(30)
    await enter(email, code())
    expect(await refusal(enter(email, before))).toBe('invalid_code')
  })

  it('is accepted at most one step early or late', async () => {
    for (const [seconds, outcome] of [
      [30, null],
      [90, 'invalid_code'],
    ] as const) {
      const { email, code } = await withTotp()
      const given = code()
      accounts.advance(seconds)
      const { code: ended } = await accounts.cost(() => enter(email, given))
      expect([seconds, ended]).toEqual([seconds, outcome])
    }
  })

  it('is not guessed: after twenty wrong ones in a day no code is taken, however many come at once', async () => {
    const { email, code } = await withTotp()
    const codes: string[] = []
    for (let round = 0; round < 4; round += 1) {
      const wrong = wrongCode(code())
      codes.push(...(await Promise.all(Array.from({ length: 10 }, () => refusal(enter(email, wrong))))))
      await accounts.age(15 * 60 + 1)
    }
    expect(codes.filter((one) => one === 'invalid_code')).toHaveLength(20)
    expect(codes.filter((one) => one === 'rate_limited')).toHaveLength(20)
    expect(await refusal(enter(email, code()))).toBe('rate_limited')
    await accounts.age(24 * 3600)
    await enter(email, code())
  })
})

describe('an attacker who knows the password and guesses codes', () => {
  const enterFrom = (email: string, code: string, client: Client) => accounts.signIn(email, goodPassword, code, client)
  /** Sends twenty wrong codes from each of this many networks; a network may send ten in 15 minutes. */
  async function guessCodes(email: string, right: string, networks: number): Promise<string[]> {
    const codes: string[] = []
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < networks; index += 1) {
        const network = `198.51.${index}.0/24`
        const guess = () => refusal(enterFrom(email, wrongCode(right), { network }))
        codes.push(...(await Promise.all(Array.from({ length: 10 }, guess))))
      }
      await accounts.age(3600 + 1)
    }
    return codes
  }

  it('does not refuse the owner in another network', async () => {
    const { email, code } = await withTotp()
    expect(await guessCodes(email, code(), 1)).toEqual(Array(20).fill('invalid_code'))
    expect(await refusal(enterFrom(email, code(), { network: '198.51.0.0/24' }))).toBe('rate_limited')
    await enterFrom(email, code(), { network: '203.0.113.0/24' })
  })

  it('gets a hundred guesses a day from all networks, and leaves the owner the known device and the recovery codes', async () => {
    const { email, grant, code, recoveryCodes } = await withTotp()
    const codes = await guessCodes(email, code(), 6)
    expect(codes.filter((one) => one === 'invalid_code')).toHaveLength(100)
    const network = '203.0.113.0/24'
    expect(await refusal(enterFrom(email, code(), { network }))).toBe('rate_limited')
    await enterFrom(email, code(), { network, deviceToken: grant.deviceToken })
    await enterFrom(email, recoveryCodes[0] ?? '', { network })
  })
})

describe('a recovery code', () => {
  it('is accepted once, in any spelling, also in two concurrent requests', async () => {
    const { email, recoveryCodes } = await withTotp()
    const [one = '', two = ''] = recoveryCodes
    await enter(email, one.toLowerCase().replaceAll('-', ' '))
    expect(await refusal(enter(email, one))).toBe('invalid_code')
    const ended = await Promise.allSettled([enter(email, two), enter(email, two)])
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('is refused for another account', async () => {
    const [mine, theirs] = [await withTotp(), await withTotp()]
    expect(await refusal(enter(mine.email, theirs.recoveryCodes[0] ?? ''))).toBe('invalid_code')
    await enter(theirs.email, theirs.recoveryCodes[0] ?? '')
  })
})

describe('the second factor', () => {
  it('is taken away with password and code, and by neither alone', async () => {
    const { grant, email, code } = await withTotp()
    const user = await accounts.as(grant)
    const now = code()
    const disable = (password: string, given: string) => refusal(disableTotp(user, { password, code: given }))
    expect(await disable('not the password at all', now)).toBe('invalid_credentials')
    expect(await disable(goodPassword, wrongCode(now))).toBe('invalid_code')
    await disableTotp(user, { password: goodPassword, code: now })
    await enter(email, null)
    expect(await disable(goodPassword, now)).toBe('conflict')
    const rows = await accounts.sql(
      `select 1 from identity.recovery_codes c join identity.accounts a
      on a.id = c.account_id where a.email = $1`,
      [email],
    )
    expect(rows).toEqual([])
  })

  it('is taken away by a recovery code, also when no code of the authenticator is taken any more', async () => {
    const { grant, code, recoveryCodes } = await withTotp()
    const user = await accounts.as(grant)
    const disable = (given: string) => disableTotp(user, { password: goodPassword, code: given })
    for (let round = 0; round < 2; round += 1) {
      const wrong = wrongCode(code())
      const codes = await Promise.all(Array.from({ length: 10 }, () => refusal(disable(wrong))))
      expect(new Set(codes)).toEqual(new Set(['invalid_code']))
      // After the limit of password checks ends, and within the day of the limit of codes.
      await accounts.age(15 * 60 + 1)
    }
    expect(await refusal(disable(code()))).toBe('rate_limited')
    await disable(recoveryCodes[0] ?? '')
  })

  it('is not removed by a code that was used to sign in', async () => {
    const { grant, email, code } = await withTotp()
    const now = code()
    await enter(email, now)
    const user = await accounts.as(grant)
    expect(await refusal(disableTotp(user, { password: goodPassword, code: now }))).toBe('invalid_code')
  })

  it('remains after a password reset by e-mail', async () => {
    const { email, code } = await withTotp()
    await forgotPassword(accounts.ctx, email)
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(email), password: 'a password set by mail' })
    expect(await refusal(accounts.signIn(email, 'a password set by mail'))).toBe('totp_required')
    await accounts.signIn(email, 'a password set by mail', code())
  })

  it('opens for no other account: the sealed secret is bound to its row', async () => {
    const [mine, theirs] = [await withTotp(), await withTotp()]
    await accounts.sql(
      `update identity.accounts set totp_secret_sealed =
        (select totp_secret_sealed from identity.accounts where email = $1) where email = $2`,
      [mine.email, theirs.email],
    )
    expect(await refusal(enter(theirs.email, mine.code()))).toBe('token_undecryptable')
  })
})
