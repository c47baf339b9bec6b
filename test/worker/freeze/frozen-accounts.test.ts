// Built-in accounts during a freeze: no account, password or second factor changes; users sign in and out.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { listSessions, logOut } from '../../../src/identity/logout.ts'
import { confirmTotp, disableTotp, enrollTotp } from '../../../src/identity/manage-totp.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import { register } from '../../../src/identity/register.ts'
import { stepAt, totpCode } from '../../../src/identity/totp.ts'
import { verifyEmail } from '../../../src/identity/verify-email.ts'
import { type Accounts, createAccounts, fromBase32, goodPassword, refusal } from '../../support/accounts.ts'

const other = 'another long enough password'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())
afterEach(() => set('off'))

const set = (state: string) => accounts.sql("update safety_switches set state = $1 where name = 'freeze'", [state])
const stored = (email: string) =>
  accounts.sql(
    `select a.*, (select array_agg(r.code_hash order by r.code_hash) from identity.recovery_codes r
       where r.account_id = a.id) as codes from identity.accounts a where email = $1`,
    [email],
  )

describe('an account during a freeze', () => {
  it('is neither registered nor verified', async () => {
    await register(accounts.ctx, { email: 'pending@example.com', password: goodPassword })
    const code = accounts.mailedCode('pending@example.com')
    await set('frozen')
    expect(await refusal(register(accounts.ctx, { email: 'new@example.com', password: goodPassword }))).toBe('frozen')
    expect(await refusal(verifyEmail(accounts.ctx, { code, password: goodPassword }))).toBe('frozen')
    expect(await stored('pending@example.com')).toEqual([])
    await set('off')
    await verifyEmail(accounts.ctx, { code, password: goodPassword })
  })

  it('keeps its password', async () => {
    const email = 'password@example.com'
    const user = await accounts.as(await accounts.signUp(email))
    await forgotPassword(accounts.ctx, email)
    const code = accounts.mailedCode(email)
    await set('frozen')
    const before = await stored(email)
    expect(await refusal(changePassword(user, { current: goodPassword, replacement: other }))).toBe('frozen')
    expect(await refusal(forgotPassword(accounts.ctx, email))).toBe('frozen')
    expect(await refusal(resetPassword(accounts.ctx, { code, password: other }))).toBe('frozen')
    expect(await stored(email)).toEqual(before)
    await accounts.signIn(email)
    await set('off')
    await resetPassword(accounts.ctx, { code, password: other })
    await accounts.signIn(email, other)
  })

  it('gets no second factor, and keeps the one it has', async () => {
    const [without, having] = ['without@example.com', 'having@example.com']
    const user = await accounts.as(await accounts.signUp(without))
    const { secret } = await enrollTotp(user, goodPassword)
    const grant = await accounts.signUp(having)
    const { code } = await accounts.addTotp(grant)
    const owner = await accounts.as(grant)
    await set('frozen')
    const before = [await stored(without), await stored(having)]
    const confirming = totpCode(fromBase32(secret), stepAt(accounts.ctx.now()))
    expect(await refusal(confirmTotp(user, confirming))).toBe('frozen')
    expect(await refusal(enrollTotp(user, goodPassword))).toBe('frozen')
    expect(await refusal(disableTotp(owner, { password: goodPassword, code: code() }))).toBe('frozen')
    expect([await stored(without), await stored(having)]).toEqual(before)
  })

  it('keeps its address, role, password and second factor for any function of the database', async () => {
    const triggers = await accounts.sql(
      `select string_agg(a.attname, ' ' order by a.attname) as columns from pg_trigger t
         join pg_attribute a on a.attrelid = t.tgrelid and a.attnum = any (t.tgattr::int2[])
        where t.tgrelid = 'identity.accounts'::regclass and t.tgname = 'frozen'`,
    )
    expect(triggers).toEqual([{ columns: 'email password_changed_at role totp_confirmed_at totp_secret_sealed' }])
  })

  it('signs in, with a second factor and a recovery code, is refreshed and signs out', async () => {
    const email = 'reader@example.com'
    const grant = await accounts.signUp(email)
    const { code, recoveryCodes } = await accounts.addTotp(grant)
    await set('frozen')
    const signedIn = await accounts.signIn(email, goodPassword, code())
    const next = await refresh(accounts.ctx, signedIn.refreshToken)
    expect((await listSessions(await accounts.as(next))).length).toBeGreaterThan(1)
    await logOut(accounts.ctx, next.refreshToken)
    expect(await refusal(refresh(accounts.ctx, next.refreshToken))).toBe('unauthorized')
    expect(await accounts.signIn(email, goodPassword, recoveryCodes[0] ?? '')).toHaveProperty('accessToken')
  })
})
