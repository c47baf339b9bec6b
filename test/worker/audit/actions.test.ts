// Each use case that changes something, and the row that it leaves in the audit trail.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { changePassword, forgotPassword, resetPassword } from '../../../src/identity/change-password.ts'
import { endSession, listSessions, logOutEverywhere } from '../../../src/identity/logout.ts'
import { disableTotp } from '../../../src/identity/manage-totp.ts'
import { refresh } from '../../../src/identity/refresh.ts'
import { listAllItemsRoute } from '../../../src/http/routes/admin/items.ts'
import { markRepaired } from '../../../src/items/repair-item.ts'
import { requestRotation } from '../../../src/items/request-rotation.ts'
import { createLinkToken } from '../../../src/link/create-link-token.ts'
import { changeConsents } from '../../../src/privacy/consents.ts'
import { defaultDecisions } from '../../../src/privacy/purposes.ts'
import { fullResync } from '../../../src/sync/full-resync.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { type Accounts, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'
import { ask } from '../../support/call-route.ts'
import { link } from '../../support/linked.ts'
import { createWorld, type World } from '../../support/world.ts'

let world: World
let accounts: Accounts
beforeAll(async () => {
  ;[world, accounts] = await Promise.all([
    createWorld(inject('control'), { rateLimits: false }),
    createAccounts(inject('control')),
  ])
})
afterAll(() => Promise.all([world.stop(), accounts.stop()]))
afterEach(() => {
  world.queue.length = 0
})

/** The actions in the trail of a person, as `actor kind action`, oldest first. */
async function trailOf({ sql }: Pick<World, 'sql'>, subject: string): Promise<string[]> {
  const rows = await sql(
    `select l.actor_kind || ' ' || l.action as line from audit_log l join audit_people p on p.audit_id = l.id
      where p.part = 'owner' and p.person = '20:wealthnavigator-edge' || $1 order by l.at, l.id`,
    [subject],
  )
  return rows.map(({ line }) => String(line))
}

describe('the trail of a user', () => {
  it('has the link, the syncs, the repair and the rotation of an item', async () => {
    const user = world.user('linker')
    const input = {
      itemId: null,
      redirectUri: null,
      products: null,
      hosted: false,
      accountSelection: false,
      language: null,
      countryCodes: null,
    }
    await createLinkToken(user, input)
    const item = await link(world, 'linker')
    await requestSync(user, item.id)
    await requestSync(user, null)
    await markRepaired(user, item.id)
    await requestRotation(user, item.id)
    await world.drain()
    expect((await trailOf(world, 'linker')).filter((line) => !line.includes('token_used'))).toEqual([
      'user link_token_created',
      'user access_token_obtained',
      'user item_linked',
      'user sync_requested',
      'user sync_requested',
      'user item_repaired',
      'user token_rotation_requested',
      'queue token_rotated',
    ])
  })

  it('has no row of what was refused: an unknown item, a rotation under way, consents that moved', async () => {
    const user = world.user('refused')
    const item = await link(world, 'refused')
    const before = await trailOf(world, 'refused')
    for (const act of [requestSync, markRepaired]) await refusal(act(user, crypto.randomUUID()))
    await requestRotation(user, item.id)
    expect(await refusal(requestRotation(user, item.id))).toBe('conflict')
    await changeConsents(user, 0, { ...defaultDecisions, product_emails: false })
    expect(await refusal(changeConsents(user, 0, { ...defaultDecisions, diagnostics: false }))).toBe('conflict')
    expect(await trailOf(world, 'refused')).toEqual([
      ...before,
      'user token_rotation_requested',
      'user consents_changed',
    ])
  })

  it('has what an administrator did with the user’s item, and read about the user', async () => {
    const item = await link(world, 'watched')
    const [row] = await world.sql('select user_id from items where id = $1', [item.id])
    const { actor, ...ctx } = world.user('operator')
    const admin = { ...ctx, actor: { ...actor, role: 'admin' } as const }
    await fullResync({ ...admin, actor: { ...admin.actor, isAdministering: true } }, item.id)
    await ask(admin, listAllItemsRoute, { query: { user_id: String(row?.['user_id']) } })
    expect((await trailOf(world, 'watched')).slice(-2)).toEqual(['admin item_resynced', 'admin admin_read'])
    await ask(admin, listAllItemsRoute)
    expect(await trailOf(world, 'watched')).toHaveLength(4)
    expect(await trailOf(world, 'operator')).toEqual([])
  })
})

describe('the trail of a built-in account', () => {
  it('has every change of its credentials and sessions', async () => {
    const email = 'trail@example.com'
    const first = await accounts.signUp(email)
    const ctx = await accounts.as(first)
    const { code } = await accounts.addTotp(first)
    await disableTotp(ctx, { password: goodPassword, code: code() })
    await changePassword(ctx, { current: goodPassword, replacement: 'quite another password' })
    const second = await accounts.signIn(email, 'quite another password')
    const other = (await listSessions(ctx)).find(({ current }) => !current)
    await endSession(ctx, other?.id ?? '')
    await forgotPassword(accounts.ctx, email)
    await resetPassword(accounts.ctx, { code: accounts.mailedCode(email), password: goodPassword })
    const third = await accounts.signIn(email)
    await logOutEverywhere(await accounts.as(third))
    expect(second.accessToken).not.toBe('')
    const trail = await trailOf(accounts, ctx.actor.identity.subject)
    expect(trail.filter((line) => line !== 'user signed_in')).toEqual([
      'user account_created',
      'user totp_enrolled',
      'user totp_enabled',
      'user totp_disabled',
      'user password_changed',
      'user session_ended',
      'anonymous password_reset_requested',
      'anonymous password_reset',
      'user sessions_ended',
    ])
    expect(trail.filter((line) => line === 'user signed_in').length).toBeGreaterThanOrEqual(2)
  })

  it('has one row an hour for any number of refused passwords, and the reuse of a refresh token', async () => {
    const email = 'guessed@example.com'
    const grant = await accounts.signUp(email)
    const { subject } = (await accounts.as(grant)).actor.identity
    for (let guess = 0; guess < 4; guess += 1) await refusal(accounts.signIn(email, 'a wrong guess of it'))
    const trail = async (action: string) => (await trailOf(accounts, subject)).filter((line) => line.includes(action))
    expect(await trail('sign_in_refused')).toEqual(['anonymous sign_in_refused'])
    accounts.advance(3600)
    await refusal(accounts.signIn(email, 'a wrong guess of it'))
    expect(await trail('sign_in_refused')).toHaveLength(2)
    await refresh(accounts.ctx, grant.refreshToken)
    await accounts.age(60)
    await refusal(refresh(accounts.ctx, grant.refreshToken))
    expect(await trail('session_reused')).toEqual(['anonymous session_reused'])
  })

  it('costs the same round trips for a wrong password with an account as without', async () => {
    const count = async () => Number((await accounts.sql('select count(*) as n from audit_log'))[0]?.['n'])
    await accounts.signUp('known@example.com')
    const before = await count()
    const [known, unknown] = [
      await accounts.cost(() => accounts.signIn('known@example.com', 'a wrong guess of it')),
      await accounts.cost(() => accounts.signIn('unknown@example.com', 'a wrong guess of it')),
    ]
    expect(known).toEqual(unknown)
    expect((await count()) - before).toBe(2)
  })
})
