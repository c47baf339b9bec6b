// Clients of different ages, tokens of other environments and teams, and pages that act as Link.
import { CountryCode, Products } from 'plaid'
import { describe, expect, test } from 'vitest'
import { openDesk } from './bank-desk.ts'

const fields = {
  client_name: 'Test',
  language: 'en',
  country_codes: [CountryCode.Us],
  products: [Products.Transactions],
}

describe('a user', () => {
  test('is answered with 201 when new and with 200 later, also after a link token named them', async () => {
    const desk = await openDesk()
    await desk.plaid.linkTokenCreate({ ...fields, user: { client_user_id: 'one' } })
    const statuses: number[] = []
    for (const client_user_id of ['one', 'one', 'two'])
      statuses.push((await desk.post('/user/create', { client_user_id })).status)
    expect(statuses).toEqual([201, 200, 201])
  })

  test('has, for an older client, a token and an id without a prefix, which a link token refuses', async () => {
    const desk = await openDesk({ legacyUsers: true })
    const { status, body } = await desk.post('/user/create', { client_user_id: 'one' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      user_token: expect.stringMatching(/^user-sandbox-/),
      user_id: expect.stringMatching(/^[0-9A-Za-z]{29}$/),
    })
    const refused = await desk.post('/link/token/create', { ...fields, user_id: body['user_id'] })
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'INVALID_FIELD' } })
    const { user_token } = body
    const given = await desk.post('/link/token/create', { ...fields, user: { client_user_id: 'one' }, user_token })
    expect(given.status).toBe(200)
    expect((await desk.post('/user/items/get', { user_token })).body).toMatchObject({ items: [] })
  })

  test('has a prefixed id for an older client that requests the new user API', async () => {
    const desk = await openDesk()
    expect((await desk.control('/client', { legacy_users: true })).body).toMatchObject({ legacy_users: true })
    const { body } = await desk.post('/user/create', { client_user_id: 'one', with_upgraded_user: true })
    expect(body).toMatchObject({ user_id: expect.stringMatching(/^usr_/) })
    expect(body).not.toHaveProperty('user_token')
    expect((await desk.post('/link/token/create', { ...fields, user_id: body['user_id'] })).status).toBe(200)
  })

  test('is named by user or by user_id, and not by both', async () => {
    const desk = await openDesk()
    const { user_id } = (await desk.plaid.userCreate({ client_user_id: 'one' })).data
    const both = await desk.post('/link/token/create', { ...fields, user_id, user: { client_user_id: 'one' } })
    expect(both).toMatchObject({ status: 400, body: { error_code: 'INVALID_FIELD' } })
    const none = await desk.post('/link/token/create', fields)
    expect(none).toMatchObject({ status: 400, body: { error_code: 'MISSING_FIELDS' } })
  })
})

describe('an access token', () => {
  test.each(['access-production-', 'access-development-', 'access-sandbox-', 'junk'])(
    'is INVALID_ACCESS_TOKEN everywhere when it starts with %s and belongs to another client',
    async (prefix) => {
      const desk = await openDesk()
      const access_token = `${prefix}5cd6e1b1-1b5b-459d-9284-366e2da89755`
      for (const path of ['/item/get', '/accounts/get', '/transactions/sync', '/item/remove']) {
        const { status, body } = await desk.post(path, { access_token })
        expect([status, body['error_type'], body['error_code']]).toEqual([400, 'INVALID_INPUT', 'INVALID_ACCESS_TOKEN'])
      }
    },
  )

  test('is another team’s while the control says so', async () => {
    const desk = await openDesk()
    const { access_token } = await desk.link()
    await desk.control('/client', { foreign_tokens: true })
    expect((await desk.post('/item/get', { access_token })).body['error_code']).toBe('INVALID_ACCESS_TOKEN')
    await desk.control('/client', { foreign_tokens: false })
    expect((await desk.post('/item/get', { access_token })).status).toBe(200)
  })
})

describe('a page', () => {
  const preflight = async (url: string, origin: string) =>
    await fetch(`${url}/simulator/link`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    })

  test.each(['http://localhost:5599', 'http://127.0.0.1:3000', 'http://[::1]:8080', 'https://app.localhost'])(
    'is available to pages of %s',
    async (origin) => {
      const desk = await openDesk()
      const { status, headers } = await preflight(desk.simulator.url, origin)
      expect([status, headers.get('access-control-allow-origin')]).toEqual([204, origin])
      expect(headers.get('access-control-allow-headers')).toBe('content-type')
      const { data } = await desk.plaid.linkTokenCreate({ ...fields, user: { client_user_id: 'one' } })
      const response = await fetch(`${desk.simulator.url}/simulator/link`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: JSON.stringify({ link_token: data.link_token, institution_id: 'ins_109509' }),
      })
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    },
  )

  test.each(['https://evil.example', 'http://localhost.evil.example', 'http://127.0.0.1.evil.example', 'null'])(
    'is refused to pages of %s',
    async (origin) => {
      const desk = await openDesk()
      const { headers } = await preflight(desk.simulator.url, origin)
      expect(headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})
