// Plaid's id of a user: stored where Plaid's newer user API returns it, and never required for linking.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createLinkToken, type LinkTokenInput } from '../../../src/link/create-link-token.ts'
import { jobFor } from '../../../src/cron/schedule.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})
afterEach(async () => {
  await world.bank.clearAlterations()
  await world.bank.client({ legacy_users: false })
  world.lines.length = 0
})

const fresh: LinkTokenInput = {
  itemId: null,
  redirectUri: null,
  products: null,
  hosted: false,
  accountSelection: false,
  language: null,
  countryCodes: null,
}

const linkToken = async (subject: string) => (await createLinkToken(world.user(subject), fresh)).linkToken
const storedId = async (subject: string) =>
  (await world.sql('select plaid_user_id from users where subject = $1', [subject]))[0]?.['plaid_user_id']
/** The endpoints and statuses of the calls that `act` causes. */
async function callsOf(act: () => Promise<unknown>) {
  const before = (await world.bank.calls()).length
  await act()
  const rows = z.array(z.object({ endpoint: z.string(), status: z.string().transform(Number) }))
  return rows.parse((await world.bank.calls()).slice(before)).map(({ endpoint, status }) => [endpoint, status])
}

describe('a user who is new at Plaid', () => {
  it('is created with status 201, and the link token names them', async () => {
    const calls = await callsOf(() => linkToken('new'))
    expect(calls).toEqual([
      ['/user/create', 201],
      ['/link/token/create', 200],
    ])
    expect(await storedId('new')).toMatch(/^usr_/)
    expect(world.lines.join('\n')).not.toContain('plaid_user_not_created')
  })

  it('is created with the new user API for an older client', async () => {
    await world.bank.client({ legacy_users: true })
    const calls = await callsOf(() => linkToken('older'))
    expect(calls).toEqual([
      ['/user/create', 201],
      ['/user/create', 200],
      ['/link/token/create', 200],
    ])
    expect(await storedId('older')).toMatch(/^usr_/)
  })

  it('has no id here where Plaid gives ids of the older user API alone', async () => {
    await world.bank.alter({ endpoint: '/user/create', path: 'user_id', value: 'wz666MBjYWTp2PDz' })
    const calls = await callsOf(() => linkToken('old'))
    expect(calls.at(-1)).toEqual(['/link/token/create', 200])
    expect(await storedId('old')).toBeNull()
    expect(world.lines.join('\n')).toContain('plaid_user_not_created')
  })
})

describe('an id of the user that Plaid refuses', () => {
  it.each(['INVALID_FIELD', 'MISSING_FIELDS', 'UNKNOWN_FIELDS', 'USER_NOT_FOUND'])(
    'costs one more call after %s, and the link token is created without it',
    async (error) => {
      await linkToken(error)
      await world.bank.fault({ endpoint: '/link/token/create', error })
      const calls = await callsOf(() => linkToken(error))
      expect(calls).toEqual([
        ['/link/token/create', 400],
        ['/link/token/create', 200],
      ])
      expect(world.lines.join('\n')).toContain('plaid_user_refused')
      expect(world.lines.join('\n')).not.toContain(String(await storedId(error)))
    },
  )

  it('is replaced when it was stored without the prefix of the new user API', async () => {
    await linkToken('stored')
    await world.sql("update users set plaid_user_id = 'wz666MBjYWTp2PDz' where subject = 'stored'")
    expect(await callsOf(() => linkToken('stored'))).toEqual([
      ['/user/create', 200],
      ['/link/token/create', 200],
    ])
    expect(await storedId('stored')).toMatch(/^usr_/)
  })

  it('is not taken for the cause when Plaid refuses the keys', async () => {
    await linkToken('keys')
    await world.bank.fault({ endpoint: '/link/token/create', error: 'INVALID_API_KEYS' })
    const calls = await callsOf(async () => {
      await expect(linkToken('keys')).rejects.toMatchObject({ code: 'plaid_rejected' })
    })
    expect(calls).toEqual([['/link/token/create', 400]])
  })
})

describe('a link token that Plaid refuses', () => {
  const refuse = (error: string) => world.bank.fault({ endpoint: '/link/token/create', error, times: 2 })
  const create = (given: object) => createLinkToken(world.user('options'), { ...fresh, ...given })

  it.each([
    ['redirect_uri', { redirectUri: 'https://app.example/unregistered' }],
    ['country_codes', { countryCodes: ['ZW'] }],
  ])('is an error of the client that names the field: %s', async (name, given) => {
    await refuse('INVALID_FIELD')
    await expect(create(given)).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ pointer: `#/${name}`, detail: 'Plaid may have refused this option.' }],
    })
  })

  it.each([
    ['INVALID_FIELD', {}],
    ['INVALID_API_KEYS', { redirectUri: 'https://app.example/unregistered' }],
  ])('raises an alarm if the operator configured the value (%s, %j)', async (error, given) => {
    await refuse(error)
    await expect(create(given)).rejects.toMatchObject({ code: 'plaid_rejected' })
  })
})

describe('the hourly alarm for users without a Plaid user', () => {
  /** Creates a link token for each of these users; `missing` of them get no Plaid user. */
  async function link(name: string, users: number, missing: number) {
    await world.bank.alter({ endpoint: '/user/create', path: 'user_id', value: 'wz666MBjYWTp2PDz' })
    for (let nth = 0; nth < missing; nth += 1) await linkToken(`${name} without ${nth}`)
    await world.bank.clearAlterations()
    for (let nth = missing; nth < users; nth += 1) await linkToken(`${name} with ${nth}`)
  }
  async function alarms() {
    world.lines.length = 0
    await jobFor('19 * * * *').run(world.job())
    const line = z.looseObject({ event: z.string(), level: z.string() })
    return world.lines
      .map((text) => line.parse(JSON.parse(text)))
      .filter(({ event }) => event === 'plaid_users_missing')
  }
  beforeEach(async () => {
    await world.sql('delete from link_sessions')
  })

  it('is raised at five users and a fifth of all, and not below either', async () => {
    await link('few', 4, 4)
    expect(await alarms()).toEqual([])
    await link('fifth', 21, 1)
    expect(await alarms()).toMatchObject([{ level: 'error', count: 25, failed: 5 }])
    await link('more', 1, 0)
    expect(await alarms()).toEqual([])
  })

  it('counts a user once, however many link tokens they ask for', async () => {
    for (let nth = 0; nth < 6; nth += 1) await link('same', 1, 1)
    expect(await world.sql('select count(*)::int as n from link_sessions')).toMatchObject([{ n: '6' }])
    expect(await alarms()).toEqual([])
  })

  it('does not count link tokens that Plaid refuses for what a client sent', async () => {
    await world.bank.fault({ endpoint: '/link/token/create', error: 'INVALID_FIELD', times: 6 })
    await world.bank.alter({ endpoint: '/user/create', path: 'user_id', value: 'wz666MBjYWTp2PDz' })
    for (let nth = 0; nth < 6; nth += 1)
      await expect(linkToken(`refused ${nth}`)).rejects.toMatchObject({ code: 'plaid_rejected' })
    await world.bank.clearAlterations()
    expect(await alarms()).toEqual([])
  })

  it('does not count the hour before, nor a user who got a Plaid user since', async () => {
    await link('earlier', 5, 5)
    expect(await alarms()).toHaveLength(1)
    for (let nth = 0; nth < 5; nth += 1) await linkToken(`earlier without ${nth}`)
    expect(await alarms()).toEqual([])
    await link('old', 5, 5)
    expect(await alarms()).toHaveLength(1)
    await world.sql("update link_sessions set created_at = now() - interval '61 minutes'")
    expect(await alarms()).toEqual([])
  })
})
