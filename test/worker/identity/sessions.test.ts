// Sessions of built-in accounts: each refresh token works once, and an ended session stays ended.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { verifyAccessToken } from '../../../src/auth/access-token.ts'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { endSession, listSessions, logOut, logOutEverywhere } from '../../../src/identity/logout.ts'
import { requireLiveSession } from '../../../src/identity/live-session.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import type { SessionGrant } from '../../../src/identity/session.ts'
import { type Accounts, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

const day = 24 * 3600
const another = 'quite another password'
let count = 0
/** Creates an account for one test. */
async function signUp(): Promise<{ email: string; grant: SessionGrant }> {
  const email = `somebody-${(count += 1)}@example.com`
  return { email, grant: await accounts.signUp(email) }
}
const renew = (token: string) => refresh(accounts.ctx, token)
const isOver = async ({ refreshToken }: SessionGrant) => (await refusal(renew(refreshToken))) === 'unauthorized'

describe('an access token', () => {
  it('is good for fifteen minutes', async () => {
    const { grant } = await signUp()
    const { expiresAt } = await verifyAccessToken(grant.accessToken, accounts.services.auth, new Date())
    const seconds = (expiresAt.getTime() - Date.now()) / 1000
    expect(grant.expiresInSeconds).toBe(900)
    expect(seconds).toBeGreaterThan(890)
    expect(seconds).toBeLessThanOrEqual(900)
    const later = new Date(Date.now() + (900 + 61) * 1000)
    expect(await refusal(verifyAccessToken(grant.accessToken, accounts.services.auth, later))).toBe('unauthorized')
  })
})

describe('a refresh token', () => {
  it('gives another of the same session, again and again', async () => {
    const { grant } = await signUp()
    const tokens = new Set([grant.refreshToken])
    let current = grant
    for (let turn = 0; turn < 4; turn += 1) {
      current = await renew(current.refreshToken)
      tokens.add(current.refreshToken)
      expect((await accounts.as(current)).actor.sessionId).toBe((await accounts.as(grant)).actor.sessionId)
    }
    expect(tokens.size).toBe(5)
  })

  it.each([1, 3])('ends the session when it is reused, %s uses later', async (uses) => {
    const { grant, email } = await signUp()
    const bystander = await accounts.signIn(email)
    let current = grant
    for (let turn = 0; turn < uses; turn += 1) current = await renew(current.refreshToken)
    if (uses === 1) await accounts.age(11)
    expect(await isOver(grant)).toBe(true)
    expect(await isOver(current)).toBe(true)
    expect(accounts.lines.at(-1)).not.toContain(grant.refreshToken)
    expect(accounts.lines.some((line) => line.includes('refresh_token_reused'))).toBe(true)
    await renew(bystander.refreshToken)
  })

  it('returns the same working successor to ten concurrent requests', async () => {
    const { grant } = await signUp()
    const grants = await Promise.all(Array.from({ length: 10 }, () => renew(grant.refreshToken)))
    const successors = new Set(grants.map(({ refreshToken }) => refreshToken))
    expect(successors.size).toBe(1)
    expect(successors.has(grant.refreshToken)).toBe(false)
    await renew(grants[0]?.refreshToken ?? '')
  })

  it('is answered once more for ten seconds, and then its reuse ends the session', async () => {
    const { grant } = await signUp()
    const next = await renew(grant.refreshToken)
    await accounts.age(8)
    expect((await renew(grant.refreshToken)).refreshToken).toBe(next.refreshToken)
    await accounts.age(3)
    expect(await isOver(grant)).toBe(true)
    expect(await isOver(next)).toBe(true)
  })

  it('two generations old ends the session at once', async () => {
    const { grant } = await signUp()
    const next = await renew((await renew(grant.refreshToken)).refreshToken)
    expect(await isOver(grant)).toBe(true)
    expect(await isOver(next)).toBe(true)
  })

  it('is refused, and not used up, beyond thirty refreshes per minute of its session; other sessions continue', async () => {
    const { grant, email } = await signUp()
    const other = await accounts.signIn(email)
    let current = grant
    for (let turn = 0; turn < 30; turn += 1) current = await renew(current.refreshToken)
    expect(await refusal(renew(current.refreshToken))).toBe('rate_limited')
    await renew(other.refreshToken)
    await accounts.age(61)
    await renew(current.refreshToken)
  })

  it('dies unused after a week, and with its session after thirty days however much it is used', async () => {
    const idle = await signUp()
    await accounts.age(7 * day + 1)
    expect(await isOver(idle.grant)).toBe(true)
    const busy = await signUp()
    let current = busy.grant
    for (let days = 0; days < 30; days += 6) {
      current = await renew(current.refreshToken)
      await accounts.age(6 * day + 1)
    }
    expect(await isOver(current)).toBe(true)
  })

  it.each(['', 'junk', 'A'.repeat(64), 'A'.repeat(63), '../../x'])(
    'is refused when it is invented: %j',
    async (text) => {
      expect(await refusal(renew(text))).toBe('unauthorized')
    },
  )

  it('returns the same successor again after a lost response', async () => {
    const { grant } = await signUp()
    await accounts.stack.addFault(accounts.database.name, {
      kind: 'lose-answer',
      matching: String.raw`identity\.renew_session`,
    })
    expect(await refusal(renew(grant.refreshToken))).toBe('unavailable')
    await renew((await renew(grant.refreshToken)).refreshToken)
  })

  it('stays unused when the request did not reach the database', async () => {
    const { grant } = await signUp()
    await accounts.stack.addFault(accounts.database.name, {
      kind: 'fail-before',
      matching: String.raw`identity\.renew_session`,
    })
    expect(await refusal(renew(grant.refreshToken))).toBe('unavailable')
    await renew(grant.refreshToken)
  })
})

describe('logging out', () => {
  it('ends that session and no other', async () => {
    const { grant, email } = await signUp()
    const other = await accounts.signIn(email)
    await logOut(accounts.ctx, grant.refreshToken)
    expect(await isOver(grant)).toBe(true)
    await renew(other.refreshToken)
    await logOut(accounts.ctx, grant.refreshToken)
    await logOut(accounts.ctx, null)
  })

  it('everywhere ends all of the account and none of another', async () => {
    const { grant, email } = await signUp()
    const stranger = await signUp()
    const other = await accounts.signIn(email)
    await logOutEverywhere(await accounts.as(grant))
    expect([await isOver(grant), await isOver(other)]).toEqual([true, true])
    await renew(stranger.grant.refreshToken)
  })

  it('is refused, for all sessions, to a session that has ended', async () => {
    const { grant, email } = await signUp()
    const thief = await accounts.as(await accounts.signIn(email))
    await changePassword(await accounts.as(grant), { current: goodPassword, replacement: another })
    expect(await refusal(logOutEverywhere(thief))).toBe('unauthorized')
    await renew(grant.refreshToken)
  })

  it('takes from the access token that is still out what concerns the account', async () => {
    const { grant } = await signUp()
    const user = await accounts.as(grant)
    await logOut(accounts.ctx, grant.refreshToken)
    const change = { current: goodPassword, replacement: another }
    expect(await refusal(changePassword(user, change))).toBe('unauthorized')
    expect(await refusal(listSessions(user))).toBe('unauthorized')
    expect(await refusal(endSession(user, crypto.randomUUID()))).toBe('unauthorized')
    expect(await refusal(requireLiveSession(user))).toBe('unauthorized')
  })
})

describe('the sessions of an account', () => {
  it('are listed, and ended one by one', async () => {
    const { grant, email } = await signUp()
    const other = await accounts.signIn(email)
    const user = await accounts.as(grant)
    const sessions = await listSessions(user)
    expect(sessions.map(({ current }) => current)).toEqual([true, false])
    expect(Math.abs((sessions[0]?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
    await endSession(user, sessions[1]?.id ?? '')
    expect(await isOver(other)).toBe(true)
    expect(await listSessions(user)).toHaveLength(1)
  })

  it('belong to one account only', async () => {
    const [one, two] = [await signUp(), await signUp()]
    const [theirs] = await listSessions(await accounts.as(two.grant))
    expect(await refusal(endSession(await accounts.as(one.grant), theirs?.id ?? ''))).toBe('not_found')
    await renew(two.grant.refreshToken)
  })

  it('are fifty at most: the one unused for longest gives way', async () => {
    const { grant, email } = await signUp()
    for (let session = 0; session < 50; session += 1) await accounts.signIn(email)
    expect(await isOver(grant)).toBe(true)
    expect(await listSessions(await accounts.as(await accounts.signIn(email)))).toHaveLength(50)
  })

  it('need a token that a sign-in gave', async () => {
    const { grant } = await signUp()
    const user = await accounts.as(grant)
    const { sessionId: _, ...actor } = user.actor
    expect(await refusal(listSessions({ ...user, actor }))).toBe('unauthorized')
  })
})

describe('a changed password', () => {
  it('ends every session but the one that set it', async () => {
    const { grant, email } = await signUp()
    const others = [await accounts.signIn(email), await accounts.signIn(email)]
    await changePassword(await accounts.as(grant), { current: goodPassword, replacement: another })
    for (const other of others) expect(await isOver(other)).toBe(true)
    await renew(grant.refreshToken)
    expect(await refusal(accounts.signIn(email))).toBe('invalid_credentials')
    await accounts.signIn(email, another)
  })

  it('needs the current one, which cannot be guessed with a stolen access token', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const guess = () => refusal(changePassword(user, { current: 'a guess of the thief', replacement: another }))
    const codes = await Promise.all(Array.from({ length: 15 }, guess))
    expect(codes.filter((code) => code === 'invalid_credentials')).toHaveLength(10)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(5)
    expect(await refusal(changePassword(user, { current: goodPassword, replacement: another }))).toBe('rate_limited')
    await accounts.signIn(email)
  })

  it('is refused where it is too easy', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    for (const replacement of ['short', `my ${email} password`])
      expect(await refusal(changePassword(user, { current: goodPassword, replacement }))).toBe('validation_failed')
    await accounts.signIn(email)
  })

  it.each(['of the same session', 'of another session'])('set twice at once (%s) is set once', async (whose) => {
    const { grant, email } = await signUp()
    const other = whose === 'of another session' ? await accounts.signIn(email) : grant
    const users = [await accounts.as(grant), await accounts.as(other)]
    const ended = await Promise.allSettled(
      users.map((user, index) => changePassword(user, { current: goodPassword, replacement: `${another} ${index}` })),
    )
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = ended.findIndex(({ status }) => status === 'fulfilled')
    await accounts.signIn(email, `${another} ${winner}`)
  })

  it('lets no sign-in with the old one through that began before', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const [, ...signIns] = await Promise.allSettled([
      changePassword(user, { current: goodPassword, replacement: another }),
      ...Array.from({ length: 5 }, () => accounts.signIn(email)),
    ])
    await renew(grant.refreshToken)
    const entered = signIns.filter((one) => one.status === 'fulfilled')
    for (const { value } of entered) expect(await isOver(value)).toBe(true)
    expect(await listSessions(user)).toHaveLength(1)
  })

  it('ends every session by e-mail code, works once, and only for an hour', async () => {
    const { grant, email } = await signUp()
    await forgotPassword(accounts.ctx, email)
    const stale = accounts.mailedCode(email)
    await accounts.age(3601)
    const reset = (code: string) => resetPassword(accounts.ctx, { code, password: another })
    expect(await refusal(reset(stale))).toBe('invalid_token')
    await forgotPassword(accounts.ctx, email)
    const [first] = [accounts.mailedCode(email)]
    await forgotPassword(accounts.ctx, email)
    const second = accounts.mailedCode(email)
    await reset(second)
    expect(await isOver(grant)).toBe(true)
    for (const code of [first, second]) expect(await refusal(reset(code))).toBe('invalid_token')
    await accounts.signIn(email, another)
  })

  it('is set by one of several concurrent requests, and the others get an error', async () => {
    const { grant, email } = await signUp()
    const user = await accounts.as(grant)
    const codes: string[] = []
    for (let mail = 0; mail < 4; mail += 1) {
      await forgotPassword(accounts.ctx, email)
      codes.push(accounts.mailedCode(email))
    }
    const ended = await Promise.allSettled([
      ...codes.map((code) => resetPassword(accounts.ctx, { code, password: another })),
      changePassword(user, { current: goodPassword, replacement: another }),
      logOutEverywhere(user),
      accounts.signIn(email),
    ])
    const resets = ended.slice(0, 4)
    expect(resets.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
    const reasons = ended.filter((one) => one.status === 'rejected').map((one) => one.reason)
    const publicCodes: readonly string[] = ['invalid_token', 'unauthorized', 'invalid_credentials']
    for (const reason of reasons) expect(publicCodes).toContain(reason.code)
    expect(await isOver(grant)).toBe(true)
    await accounts.signIn(email, another)
  })

  it('is not available by e-mail for an address that was only registered', async () => {
    const { register } = await import('../../../src/identity/register.ts')
    await register(accounts.ctx, { email: 'unverified@example.com', password: goodPassword })
    await forgotPassword(accounts.ctx, 'unverified@example.com')
    expect(accounts.mails.at(-1)).toEqual({ kind: 'no_account', to: 'unverified@example.com' })
  })

  it('makes codes that were mailed before worthless', async () => {
    const { grant, email } = await signUp()
    await forgotPassword(accounts.ctx, email)
    const code = accounts.mailedCode(email)
    await changePassword(await accounts.as(grant), { current: goodPassword, replacement: another })
    expect(await refusal(resetPassword(accounts.ctx, { code, password: goodPassword }))).toBe('invalid_token')
  })
})
