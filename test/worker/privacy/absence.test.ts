// Users who do not come for two years: what counts as a visit, the notice, and the erasure.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { audit } from '../../../src/audit/audit.ts'
import type { Services } from '../../../src/context.ts'
import { asUser, type Identity, registerUser } from '../../../src/db/core/scope.ts'
import { beginAbsentErasure, listAbsent } from '../../../src/db/privacy/absence.ts'
import { eraseAbsent, notifyAbsent } from '../../../src/privacy/absence.ts'
import { continueErasures } from '../../../src/privacy/erase.ts'
import { planRetention } from '../../../src/retention/plan.ts'
import { purgeExpired } from '../../../src/retention/purge.ts'
import { type Accounts, createAccounts } from '../../support/accounts.ts'
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

interface Place {
  readonly services: Services
  sql(text: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>
}
const withToken = (identity: Identity): Identity => ({ ...identity, issuedAt: new Date() })
const visit = async ({ services }: Place, identity: Identity) => {
  await asUser(services.api, withToken(identity), {})
}

/** A user who came that many days ago, and was notified so many days ago. Returns the id. */
async function absent(place: Place, identity: Identity, days: number, notifiedDays: number | null): Promise<string> {
  const id = await registerUser(place.services.api, withToken(identity))
  await place.sql(
    `update user_visits set seen_on = (now() at time zone 'utc')::date - $2::int,
       noticed_at = now() - make_interval(days => $3::int) where user_id = $1`,
    [id, days, notifiedDays],
  )
  return id
}
const identityOf = (subject: string): Identity => world.user(subject).actor.identity
const rowOf = async (place: Place, userId: string) =>
  (
    await place.sql(
      `select (now() at time zone 'utc')::date - seen_on as days, noticed_at is not null as notified, xmin::text as version
        from user_visits where user_id = $1`,
      [userId],
    )
  )[0]
const exists = async (userId: string) => (await world.sql('select 1 from users where id = $1', [userId])).length > 0

describe('a visit of an absent user', () => {
  it('is noted once a day, by the first request', async () => {
    const identity = identityOf('visitor')
    const id = await registerUser(world.services.api, withToken(identity))
    const first = await rowOf(world, id)
    expect(first).toMatchObject({ days: '0', notified: 'f' })
    await visit(world, identity)
    expect(await rowOf(world, id)).toEqual(first)
    await absent(world, identity, 1, null)
    expect(await rowOf(world, id)).toMatchObject({ days: '1' })
    await visit(world, identity)
    expect(await rowOf(world, id)).toMatchObject({ days: '0' })
  })

  it('is no job that acts for the user', async () => {
    const identity = identityOf('served')
    const id = await absent(world, identity, 700, null)
    await asUser(world.services.api, identity, {})
    await registerUser(world.services.api, identity)
    expect(await rowOf(world, id)).toMatchObject({ days: '700' })
  })

  it('does not wait for a sync that commits rows of the user', async () => {
    const identity = identityOf('busy')
    const id = await absent(world, identity, 1, null)
    const held = world.sql(
      `with held as (select 1 from users where id = $1 for no key update) select pg_sleep(2) from held`,
      [id],
    )
    const started = Date.now()
    await visit(world, identity)
    expect(Date.now() - started).toBeLessThan(1500)
    await held
    expect(await rowOf(world, id)).toMatchObject({ days: '0' })
  })

  it('takes back the notice', async () => {
    const identity = identityOf('back again')
    const id = await absent(world, identity, 720, 10)
    await visit(world, identity)
    expect(await rowOf(world, id)).toMatchObject({ days: '0', notified: 'f' })
  })
})

describe('a user who has not come for 700 days', () => {
  const signUp = async (email: string) => (await accounts.as(await accounts.signUp(email))).actor.identity
  const mailsTo = (email: string) => accounts.mails.filter(({ to, kind }) => to === email && kind === 'absence')

  it('gets one e-mail that says on which day the account is deleted', async () => {
    const email = 'absent@example.com'
    const id = await absent(accounts, await signUp(email), 701, null)
    await absent(accounts, await signUp('recent@example.com'), 700, null)
    for (let run = 0; run < 2; run += 1) expect(await notifyAbsent(accounts.ctx, null)).toBeNull()
    const on = new Date(accounts.ctx.now().getTime() + 31 * 86_400_000).toISOString().slice(0, 10)
    expect(mailsTo(email)).toEqual([{ kind: 'absence', to: email, on, years: 2 }])
    expect(mailsTo('recent@example.com')).toEqual([])
    expect(await rowOf(accounts, id)).toMatchObject({ notified: 't' })
  })

  it('gets no notice while the e-mail cannot be sent, and does not hold up others', async () => {
    const failing = 'unreachable@example.com'
    const [one, other] = [
      await absent(accounts, await signUp(failing), 705, null),
      await absent(accounts, await signUp('reachable@example.com'), 705, null),
    ]
    const services: Services = {
      ...accounts.services,
      identity: async () => {
        const identity = await accounts.services.identity?.()
        if (identity === undefined) throw new Error('Accounts are not built in.')
        return {
          ...identity,
          sendMail: async (mail, log) => {
            if (mail.to === failing) throw new Error('no answer')
            await identity.sendMail(mail, log)
          },
        }
      },
    }
    await notifyAbsent({ ...accounts.ctx, services }, null)
    expect([await rowOf(accounts, one), await rowOf(accounts, other)]).toMatchObject([
      { notified: 'f' },
      { notified: 't' },
    ])
    await notifyAbsent(accounts.ctx, null)
    expect(await rowOf(accounts, one)).toMatchObject({ notified: 't' })
  })

  it('counts as notified without an address here', async () => {
    const id = await absent(world, identityOf('of an issuer'), 701, null)
    await notifyAbsent(world.job(), null)
    expect(await rowOf(world, id)).toMatchObject({ notified: 't' })
  })
})

describe('a built-in account that never called the API', () => {
  /** Signs up, and sets the clock of the account back. Returns the account's id. */
  async function signedUp(email: string, days: number, usedDays: number): Promise<string> {
    const { identity } = (await accounts.as(await accounts.signUp(email))).actor
    await accounts.sql(
      `update identity.accounts set created_at = now() - make_interval(days => $2::int),
         password_changed_at = now() - make_interval(days => $2::int) where id = $1`,
      [identity.subject, days],
    )
    await accounts.sql(
      'update identity.sessions set last_used_at = now() - make_interval(days => $2::int) where account_id = $1',
      [identity.subject, usedDays],
    )
    return identity.subject
  }
  const visitOf = async (accountId: string) =>
    (
      await accounts.sql(
        `select v.user_id, current_date - v.seen_on as days, v.noticed_at is not null as notified
          from user_visits v join users u on u.id = v.user_id where u.subject = $1`,
        [accountId],
      )
    )[0]
  const mailsTo = (email: string, kind: string) =>
    accounts.mails.filter((mail) => mail.to === email && mail.kind === kind)
  const purge = () => purgeExpired(accounts.ctx, 60_000)
  /** Time passes for the user. */
  const later = async (accountId: string, days: number) => {
    await accounts.sql(
      'update identity.sessions set last_used_at = last_used_at - make_interval(days => $2::int) where account_id = $1',
      [accountId, days],
    )
    await accounts.sql(
      `update user_visits v set seen_on = seen_on - $2::int, noticed_at = noticed_at - make_interval(days => $2::int)
        from users u where u.id = v.user_id and u.subject = $1`,
      [accountId, days],
    )
  }

  it('gets the notice after 700 days, and is erased thirty days later', async () => {
    const email = 'never@example.com'
    const id = await signedUp(email, 701, 701)
    await purge()
    expect(await visitOf(id)).toMatchObject({ days: '701', notified: 't' })
    expect(mailsTo(email, 'absence')).toHaveLength(1)
    await later(id, 29)
    expect((await purge()).purged).not.toHaveProperty('users')
    await later(id, 2)
    expect((await purge()).purged).toMatchObject({ users: 1 })
    await accounts.sql('update erasures set next_attempt_at = now()')
    await continueErasures(accounts.ctx)
    expect(await accounts.sql('select 1 from identity.accounts where id = $1', [id])).toEqual([])
    expect(await visitOf(id)).toBeUndefined()
    expect(mailsTo(email, 'absence')).toHaveLength(1)
    expect(mailsTo(email, 'erasure')).toHaveLength(1)
  })

  it.each([
    ['is younger', 700, 700],
    ['was signed in to since', 900, 100],
  ])('gets no notice where it %s', async (why, days, usedDays) => {
    const email = `${why.replaceAll(' ', '-')}@example.com`
    const id = await signedUp(email, days, usedDays)
    await purge()
    expect(await visitOf(id)).toBeUndefined()
    expect(mailsTo(email, 'absence')).toEqual([])
  })

  it('stays where its owner signs in after the notice', async () => {
    const email = 'signs-in@example.com'
    const id = await signedUp(email, 800, 800)
    await purge()
    await later(id, 40)
    await accounts.sql('update identity.sessions set last_used_at = now() where account_id = $1', [id])
    expect((await purge()).purged).not.toHaveProperty('users')
    expect(await visitOf(id)).toMatchObject({ days: '0', notified: 'f' })
  })
})

describe('a user who has not come for two years', () => {
  it('is erased by the retention, thirty days after the notice', async () => {
    const id = await absent(world, identityOf('gone'), 731, 31)
    const plan = await planRetention(world.job())
    expect(plan.find(({ name }) => name === 'users')).toMatchObject({ days: 730, due: 1 })
    expect((await purgeExpired(world.job(), 60_000)).purged).toMatchObject({ users: 1 })
    expect(world.queue.some((message) => 'erasure_id' in message)).toBe(true)
    world.queue.length = 0
    await world.sql('update erasures set next_attempt_at = now()')
    await continueErasures(world.job())
    expect(await exists(id)).toBe(false)
    expect(await world.sql("select actor_kind from audit_log where action = 'erasure_begun'")).toEqual([
      { actor_kind: 'queue' },
    ])
    expect((await purgeExpired(world.job(), 60_000)).purged).not.toHaveProperty('users')
  })

  it.each([
    ['came within the two years', 730, 40],
    ['was notified less than thirty days ago', 800, 29],
    ['was not notified', 800, null],
  ])('stays where the user %s', async (why, days, notified) => {
    const id = await absent(world, identityOf(`stays: ${why}`), days, notified)
    expect(await listAbsent(world.services.jobs, 100)).not.toContain(id)
    const newId = crypto.randomUUID()
    const row = await audit(world.job(), { action: 'erasure_begun', target: newId })
    expect(await beginAbsentErasure(world.services.jobs, id, newId, row)).toBe(false)
    expect(await world.sql('select 1 from audit_log where target_id = $1', [newId])).toEqual([])
    await world.sql('delete from user_visits where user_id = $1', [id])
  })

  it('stays where the user comes at that moment', async () => {
    const identity = identityOf('at the last moment')
    const id = await absent(world, identity, 731, 31)
    expect(await listAbsent(world.services.jobs, 100)).toContain(id)
    await visit(world, identity)
    expect(await eraseAbsent(world.job())).toEqual({ begun: 0, isDone: true })
    const newId = crypto.randomUUID()
    const row = await audit(world.job(), { action: 'erasure_begun', target: newId })
    expect(await beginAbsentErasure(world.services.jobs, id, newId, row)).toBe(false)
    expect(await exists(id)).toBe(true)
  })
})
