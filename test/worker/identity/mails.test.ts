// E-mails that any client can request stay within limits, and users are notified of changes to their login.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Ctx } from '../../../src/context.ts'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { disableTotp } from '../../../src/identity/manage-totp.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import { register } from '../../../src/identity/register.ts'
import type { IdentityServices } from '../../../src/identity/services.ts'
import { type Accounts, clientOf, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

let count = 0
const address = () => `mail-${(count += 1)}@example.com`
const network = () => `198.51.${(count += 1)}.0/24`
const from = (name: string): Ctx => ({ ...accounts.ctx, client: clientOf(name) })
const mailsTo = (email: string) => accounts.mails.filter(({ to }) => to === email).map(({ kind }) => kind)

/** A context with changed identity services. */
function equipped(change: Partial<IdentityServices>): Ctx {
  const { ctx, services } = accounts
  const identity = async () => {
    const builtin = await services.identity?.()
    if (builtin === undefined) throw new Error('Accounts are not built in.')
    return { ...builtin, ...change }
  }
  return { ...ctx, client: clientOf(network()), services: { ...services, identity } }
}

describe('an e-mail that any client can request', () => {
  it('is withheld, with the same response and a log line, beyond five per hour to an address from a network', async () => {
    const email = address()
    await accounts.signUp(email)
    const [near, far] = [from(network()), from(network())]
    const before = mailsTo(email).length
    const asked = await Promise.all(Array.from({ length: 8 }, () => accounts.cost(() => forgotPassword(near, email))))
    expect(asked.map(({ code }) => code)).toEqual(Array(8).fill(null))
    expect(mailsTo(email).length - before).toBe(5)
    const withheld = accounts.lines.filter((line) => line.includes('mail_withheld'))
    expect(withheld.length).toBeGreaterThanOrEqual(3)
    expect(withheld.join('\n')).toContain('mail_forgot')
    expect(withheld.join('\n')).not.toContain('@example.com')
    await forgotPassword(far, email)
    expect(mailsTo(email).length - before).toBe(6)
    await accounts.age(3601)
    await forgotPassword(near, email)
    expect(mailsTo(email).length - before).toBe(7)
  })

  it('is withheld beyond twenty per hour to an address, from all networks together', async () => {
    const email = address()
    for (let round = 0; round < 6; round += 1) {
      const ctx = from(network())
      await Promise.all(Array.from({ length: 5 }, () => register(ctx, { email, password: goodPassword })))
    }
    expect(mailsTo(email)).toHaveLength(20)
  })

  it('is withheld beyond sixty an hour from a network, and beyond the limit of the deployment', async () => {
    const ctx = from(network())
    const before = accounts.mails.length
    for (let mail = 0; mail < 62; mail += 1) await register(ctx, { email: address(), password: goodPassword })
    expect(accounts.mails.length - before).toBe(60)
    await accounts.age(3601)
    const whole = equipped({ mailsPerHour: 3 })
    const sent = accounts.mails.length
    for (let mail = 0; mail < 5; mail += 1)
      await register({ ...whole, client: clientOf(network()) }, { email: address(), password: goodPassword })
    expect(accounts.lines.some((line) => line.includes('mail_deployment'))).toBe(true)
    expect(accounts.mails.length - sent).toBe(3)
  })

  it('goes once a day to an address without an account', async () => {
    const email = address()
    for (let turn = 0; turn < 3; turn += 1) await forgotPassword(from(network()), email)
    expect(mailsTo(email)).toEqual(['no_account'])
    await accounts.age(24 * 3600 + 1)
    await forgotPassword(from(network()), email)
    expect(mailsTo(email)).toEqual(['no_account', 'no_account'])
  })

  it('takes as long as one that is withheld', async () => {
    const waits: number[] = []
    const ctx = equipped({ leastMailMs: 1000 })
    const timed: Ctx = {
      ...ctx,
      services: { ...ctx.services, wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)) },
    }
    const email = address()
    for (let turn = 0; turn < 2; turn += 1) await forgotPassword(timed, email)
    expect(waits).toEqual([1000, 1000])
  })
})

describe('a notice to the owner of an account', () => {
  it('is sent when the password is changed and when it is reset', async () => {
    const email = address()
    const grant = await accounts.signUp(email)
    await changePassword(await accounts.as(grant), { current: goodPassword, replacement: 'quite another password' })
    await forgotPassword(accounts.ctx, email)
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(email), password: goodPassword })
    expect(mailsTo(email)).toEqual(['verify_email', 'password_changed', 'reset_password', 'password_reset'])
  })

  it('is sent when the second factor is turned on and off, and when a recovery code is used', async () => {
    const email = address()
    const { code, recoveryCodes } = await accounts.addTotp(await accounts.signUp(email))
    const grant = await accounts.signIn(email, goodPassword, recoveryCodes[0] ?? '')
    await disableTotp(await accounts.as(grant), { password: goodPassword, code: code() })
    expect(mailsTo(email)).toEqual(['verify_email', 'totp_enabled', 'recovery_code_used', 'totp_disabled'])
  })

  it('is logged as an error when it cannot be sent, and the change is kept', async () => {
    const email = address()
    const grant = await accounts.signUp(email)
    const { services } = equipped({ sendMail: () => Promise.reject(new Error('no mail today')) })
    const user = { ...(await accounts.as(grant)), services }
    await changePassword(user, { current: goodPassword, replacement: 'quite another password' })
    await accounts.signIn(email, 'quite another password')
    const line = accounts.lines.findLast((one) => one.includes('notice_not_sent')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({ level: 'error', mail: 'password_changed' })
    expect(line).not.toContain(email)
  })
})

it('turning the second factor on ends every other session', async () => {
  const email = address()
  const other = await accounts.signUp(email)
  const grant = await accounts.signIn(email)
  await accounts.addTotp(grant)
  expect(await refusal(refresh(accounts.ctx, other.refreshToken))).toBe('unauthorized')
  await refresh(accounts.ctx, grant.refreshToken)
})
