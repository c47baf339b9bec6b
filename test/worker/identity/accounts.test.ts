// Registration and sign-in with built-in accounts: no user gets an address that is not theirs, no response reveals
// whether an address has an account, and no account is created in part.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { login } from '../../../src/identity/login.ts'
import { register } from '../../../src/identity/register.ts'
import { resetPassword } from '../../../src/identity/change-password.ts'
import { forgotPassword } from '../../../src/identity/change-password.ts'
import { verifyEmail } from '../../../src/identity/verify-email.ts'
import { type Accounts, createAccounts, goodPassword, refusal } from '../../support/accounts.ts'

let accounts: Accounts
beforeAll(async () => {
  accounts = await createAccounts(inject('control'))
})
afterAll(() => accounts.stop())

const attackers = 'the password of an attacker'

describe('registering an account', () => {
  it('makes an account when the address is verified, and not before', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'ann@example.com', password: goodPassword })
    expect(await refusal(accounts.signIn('ann@example.com'))).toBe('invalid_credentials')
    expect(await accounts.sql(`select 1 from identity.accounts`)).toEqual([])
    const grant = await verifyEmail(ctx, { code: accounts.mailedCode('ann@example.com'), password: goodPassword })
    expect((await accounts.as(grant)).actor).toMatchObject({ kind: 'user', role: 'user', scopes: ['read', 'write'] })
    const again = await accounts.signIn('ann@example.com')
    expect((await accounts.as(again)).actor.identity).toEqual((await accounts.as(grant)).actor.identity)
  })

  it('accepts the code of an e-mail once, in any case and grouping', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'bob@example.com', password: goodPassword })
    const code = accounts.mailedCode('bob@example.com')
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ')}`
    await verifyEmail(ctx, { code: typed, password: goodPassword })
    expect(await refusal(verifyEmail(ctx, { code, password: goodPassword }))).toBe('invalid_token')
  })

  it('accepts no code of another purpose, no expired code, and no invented one', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'cat@example.com', password: goodPassword })
    const code = accounts.mailedCode('cat@example.com')
    expect(await refusal(resetPassword(ctx, { code, password: attackers }))).toBe('invalid_token')
    for (const bad of ['ABCD', 'ABCD-'.repeat(8), code.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))])
      expect(await refusal(verifyEmail(ctx, { code: bad, password: goodPassword }))).toBe('invalid_token')
    await accounts.age(25 * 3600)
    expect(await refusal(verifyEmail(ctx, { code, password: goodPassword }))).toBe('invalid_token')
  })

  it.each([
    ['too short', 'fourteen chars'],
    ['one key held down', 'aaaaaaaaaaaaaaaaaaaa'],
    ['the address', 'xdan@example.comx'],
  ])('refuses a password that is %s', async (_what, password) => {
    const { hashes, trips, code } = await accounts.cost(() =>
      register(accounts.ctx, { email: 'dan@example.com', password }),
    )
    expect({ hashes, trips, code }).toEqual({ hashes: 0, trips: 0, code: 'validation_failed' })
  })

  it('takes any characters, and the same ones however they are composed', async () => {
    await accounts.signUp('eve@example.com', 'Ångström 東京 🏦🏦🏦 é')
    const typedElsewhere = await accounts.signIn('eve@example.com', 'Ångström 東京 🏦🏦🏦 é'.normalize('NFD'))
    expect((await accounts.as(typedElsewhere)).actor.kind).toBe('user')
  })
})

describe("an attacker who registers a victim's address", () => {
  it('has no use of the password once the owner verified the address', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'victim@example.com', password: attackers })
    const attackersCode = accounts.mailedCode('victim@example.com')
    await forgotPassword(ctx, 'victim@example.com')
    const owner = await accounts.signUp('victim@example.com')
    // Checked before the attacker's code is used, because that alone would delete the registration.
    for (const table of ['registrations', 'password_resets'])
      expect(await accounts.sql(`select 1 from identity.${table} where email = 'victim@example.com'`)).toEqual([])
    expect(await refusal(accounts.signIn('victim@example.com', attackers))).toBe('invalid_credentials')
    expect(await refusal(verifyEmail(ctx, { code: attackersCode, password: attackers }))).toBe('invalid_token')
    expect((await accounts.as(owner)).actor.kind).toBe('user')
  })

  it('gains nothing when the owner follows the e-mail of that registration', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'owner@example.com', password: goodPassword })
    const ownersCode = accounts.mailedCode('owner@example.com')
    await register(ctx, { email: 'owner@example.com', password: attackers })
    const newest = accounts.mailedCode('owner@example.com')
    expect(await refusal(verifyEmail(ctx, { code: newest, password: goodPassword }))).toBe('invalid_credentials')
    expect(await accounts.sql(`select 1 from identity.accounts where email = 'owner@example.com'`)).toEqual([])
    await verifyEmail(ctx, { code: ownersCode, password: goodPassword })
    expect(await refusal(accounts.signIn('owner@example.com', attackers))).toBe('invalid_credentials')
  })

  it('changes nothing of an account that is there', async () => {
    const { ctx } = accounts
    await accounts.signUp('there@example.com')
    await register(ctx, { email: 'there@example.com', password: attackers })
    expect(accounts.mails.at(-1)).toEqual({ kind: 'address_in_use', to: 'there@example.com' })
    expect(await refusal(accounts.signIn('there@example.com', attackers))).toBe('invalid_credentials')
    await accounts.signIn('there@example.com')
  })

  it('changes nothing by a registration that was under way when the owner verified', async () => {
    const { ctx } = accounts
    await accounts.signUp('meanwhile@example.com')
    await register(ctx, { email: 'under-way@example.com', password: attackers })
    const code = accounts.mailedCode('under-way@example.com')
    await accounts.sql(`update identity.registrations set email = 'meanwhile@example.com'
      where email = 'under-way@example.com'`)
    expect(await refusal(verifyEmail(ctx, { code, password: attackers }))).toBe('invalid_token')
    expect(await refusal(accounts.signIn('meanwhile@example.com', attackers))).toBe('invalid_credentials')
    await accounts.signIn('meanwhile@example.com')
  })

  it('gets one of two accounts at most when both verify at once', async () => {
    const { ctx } = accounts
    const codes: string[] = []
    for (const password of [goodPassword, attackers]) {
      await register(ctx, { email: 'race@example.com', password })
      codes.push(accounts.mailedCode('race@example.com'))
    }
    const [first = '', second = ''] = codes
    // Both requests must arrive where an account is created before either has created it.
    await accounts.sql(`create function pause() returns trigger language plpgsql
      as $$ begin perform pg_sleep(0.2); return new; end $$`)
    await accounts.sql(`create trigger pause before insert on identity.accounts for each row execute function pause()`)
    const ended = await Promise.allSettled([
      verifyEmail(ctx, { code: first, password: goodPassword }),
      verifyEmail(ctx, { code: second, password: attackers }),
      verifyEmail(ctx, { code: first, password: goodPassword }),
    ])
    await accounts.sql(`drop function pause() cascade`)
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refused = ended.filter((one) => one.status === 'rejected').map((one) => one.reason)
    expect(refused).toMatchObject([{ code: 'invalid_token' }, { code: 'invalid_token' }])
    const rows = await accounts.sql(`select count(*) as accounts, (select count(*) from identity.sessions s
      join identity.accounts a on a.id = s.account_id where a.email = 'race@example.com') as sessions
      from identity.accounts where email = 'race@example.com'`)
    expect(rows).toEqual([{ accounts: '1', sessions: '1' }])
  })
})

describe('whether an address has an account', () => {
  beforeAll(async () => {
    await accounts.signUp('known@example.com')
  })

  it('costs a sign-in the same: hashes, round trips, response', async () => {
    const wrong = await accounts.cost(() => accounts.signIn('known@example.com', attackers))
    const unknown = await accounts.cost(() => accounts.signIn('nobody@example.com', attackers))
    expect(wrong).toEqual({ hashes: 1, trips: 1, code: 'invalid_credentials' })
    expect(unknown).toEqual(wrong)
  })

  it('costs a registration the same: hashes, round trips, one e-mail, rows', async () => {
    const rows = async () =>
      (
        await accounts.sql(`select (select count(*) from identity.registrations) as r,
      (select count(*) from identity.throttles) as t`)
      )[0]
    const spent = async (email: string) => {
      const [mailsBefore, before] = [accounts.mails.length, await rows()]
      const cost = await accounts.cost(() => register(accounts.ctx, { email, password: goodPassword }))
      const after = await rows()
      const added = Number(after?.['r']) - Number(before?.['r'])
      return { ...cost, added, mails: accounts.mails.length - mailsBefore }
    }
    const existing = await spent('known@example.com')
    expect(existing).toEqual({ hashes: 1, trips: 2, code: null, added: 1, mails: 1 })
    expect(await spent('fresh@example.com')).toEqual(existing)
  })

  it('costs a forgotten password the same', async () => {
    const spent = async (email: string) => {
      const before = accounts.mails.length
      const cost = await accounts.cost(() => forgotPassword(accounts.ctx, email))
      return { ...cost, mails: accounts.mails.length - before }
    }
    const known = await spent('known@example.com')
    expect(known).toEqual({ hashes: 0, trips: 1, code: null, mails: 1 })
    expect(await spent('unknown@example.com')).toEqual(known)
    expect(accounts.mails.at(-1)).toEqual({ kind: 'no_account', to: 'unknown@example.com' })
  })

  it('is not revealed by the limits', async () => {
    for (const email of ['limit-known@example.com', 'limit-unknown@example.com']) {
      if (email.includes('-known')) await accounts.signUp(email)
      const attempts = Array.from({ length: 11 }, () => accounts.cost(() => accounts.signIn(email, attackers)))
      const codes = (await Promise.all(attempts)).map(({ code }) => String(code)).toSorted()
      expect(codes).toEqual([...Array<string>(10).fill('invalid_credentials'), 'rate_limited'])
    }
  })
})

describe('guessing a password', () => {
  it('is refused after exactly ten attempts in fifteen minutes, for any number of concurrent requests, and with the right password too', async () => {
    await accounts.signUp('guess@example.com')
    const codes: string[] = []
    const guess = async () => void codes.push(await refusal(accounts.signIn('guess@example.com', attackers)))
    const { hashes } = await accounts.cost(() => Promise.all(Array.from({ length: 40 }, guess)))
    expect(hashes).toBe(10)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(30)
    expect(await refusal(accounts.signIn('guess@example.com'))).toBe('rate_limited')
    await accounts.age(15 * 60 + 1)
    await accounts.signIn('guess@example.com')
  })

  it('begins anew after a sign-in, so that its owner is not locked out by slips', async () => {
    await accounts.signUp('slips@example.com')
    for (let round = 0; round < 3; round += 1) {
      for (let slip = 0; slip < 9; slip += 1)
        expect(await refusal(accounts.signIn('slips@example.com', attackers))).toBe('invalid_credentials')
      await accounts.signIn('slips@example.com')
    }
  })

  it('sends an address at most five e-mails of a kind per hour from one network', async () => {
    const { ctx } = accounts
    const before = accounts.mails.length
    const wish = { email: 'flood@example.com', password: goodPassword }
    const registered = await Promise.all(Array.from({ length: 8 }, () => accounts.cost(() => register(ctx, wish))))
    const forgotten = await Promise.all(
      Array.from({ length: 8 }, () => accounts.cost(() => forgotPassword(ctx, wish.email))),
    )
    for (const { code } of [...registered, ...forgotten]) expect(code).toBeNull()
    // The address has no account. Of the e-mails that say so, only one is sent.
    expect(accounts.mails.length - before).toBe(6)
    const rows = await accounts.sql(`select count(*) from identity.registrations where email = $1`, [wish.email])
    expect(rows).toEqual([{ count: '5' }])
  })
})

describe('an identity request that fails in the middle', () => {
  const steps = [
    'identity.begin_registration',
    'identity.register',
    'identity.begin_verification',
    'identity.finish_verification',
  ] as const
  it.each(
    steps.flatMap((step) =>
      (['fail-before', 'lose-answer', 'cut-before', 'cut-after'] as const).map((kind) => [step, kind] as const),
    ),
  )('leaves an address that can still register and sign in after a failure at %s (%s)', async (step, kind) => {
    const { ctx, stack, database } = accounts
    const email = `${step.slice(9).replace('_', '-')}.${kind}@example.com`
    await stack.addFault(database.name, { kind, matching: step.replace('.', String.raw`\.`) })
    expect(await refusal(accounts.signUp(email))).toBe('unavailable')
    const halfMade = await accounts.sql(
      `select 1 from identity.accounts a where a.email = $1
         and not exists (select 1 from identity.sessions s where s.account_id = a.id)`,
      [email],
    )
    expect(halfMade).toEqual([])
    const isMade = step === 'identity.finish_verification' && (kind === 'lose-answer' || kind === 'cut-after')
    if (!isMade) await accounts.signUp(email)
    await accounts.signIn(email)
    await register(ctx, { email, password: goodPassword })
    expect(accounts.mails.at(-1)).toEqual({ kind: 'address_in_use', to: email })
  })

  it('is reported when the e-mail cannot be sent, and the registration can be repeated', async () => {
    const { services, ctx } = accounts
    const broken: Accounts['ctx'] = {
      ...ctx,
      services: {
        ...services,
        identity: async () => {
          const identity = await services.identity?.()
          if (identity === undefined) throw new Error('Accounts are not built in.')
          return { ...identity, sendMail: () => Promise.reject(new Error('no mail today')) }
        },
      },
    }
    const wish = { email: 'mailless@example.com', password: goodPassword }
    await expect(register(broken, wish)).rejects.toThrow('no mail today')
    await accounts.signUp(wish.email)
  })

  it('rolls back all of its statements', async () => {
    const { ctx } = accounts
    await register(ctx, { email: 'atomic@example.com', password: goodPassword })
    const code = accounts.mailedCode('atomic@example.com')
    await accounts.sql(`alter table identity.sessions add constraint broken check (scope = 'none') not valid`)
    try {
      expect(await refusal(verifyEmail(ctx, { code, password: goodPassword }))).toBe('internal')
    } finally {
      await accounts.sql(`alter table identity.sessions drop constraint broken`)
    }
    expect(await accounts.sql(`select 1 from identity.accounts where email = 'atomic@example.com'`)).toEqual([])
    await verifyEmail(ctx, { code, password: goodPassword })
  })
})

describe('a sign-in', () => {
  it('hashes anew what was hashed at another cost, and only then', async () => {
    await accounts.signUp('rehash@example.com')
    expect(await accounts.cost(() => accounts.signIn('rehash@example.com'))).toMatchObject({ hashes: 1 })
    const { createPasswordHasher } = await import('../../../src/identity/password.ts')
    const { scrypt } = await import('../../../src/identity/scrypt.ts')
    const old = await createPasswordHasher(scrypt, { logN: 3, r: 8, p: 2 }).hash(goodPassword)
    await accounts.sql(`update identity.accounts set password_hash = $1 where email = 'rehash@example.com'`, [old])
    expect(await accounts.cost(() => accounts.signIn('rehash@example.com'))).toMatchObject({ hashes: 2, code: null })
    expect(await accounts.cost(() => accounts.signIn('rehash@example.com'))).toMatchObject({ hashes: 1, code: null })
  })

  it('returns read-only tokens for a read scope, also after a refresh', async () => {
    await accounts.signUp('reader@example.com')
    const { refresh } = await import('../../../src/identity/refresh.ts')
    const credentials = {
      email: 'reader@example.com',
      password: goodPassword,
      code: null,
      scope: 'read',
      deviceToken: null,
    } as const
    const grant = await login(accounts.ctx, credentials)
    expect((await accounts.as(grant)).actor.scopes).toEqual(['read'])
    const next = await refresh(accounts.ctx, grant.refreshToken)
    expect((await accounts.as(next)).actor.scopes).toEqual(['read'])
  })

  it('gives an administrator the role that the operator set', async () => {
    await accounts.signUp('root@example.com')
    await accounts.sql(`update identity.accounts set role = 'admin' where email = 'root@example.com'`)
    expect((await accounts.as(await accounts.signIn('root@example.com'))).actor.role).toBe('admin')
  })
})
