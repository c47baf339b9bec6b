// Users of the application: what belongs to them, and which of it can be removed without an access token.
import { CountryCode, Products } from 'plaid'
import { expect, test } from 'vitest'
import { type BankDesk, openDesk } from './bank-desk.ts'

const fields = {
  client_name: 'Test',
  language: 'en',
  country_codes: [CountryCode.Us],
  products: [Products.Transactions],
}

async function userNamed(desk: BankDesk, client_user_id: string): Promise<string> {
  return (await desk.plaid.userCreate({ client_user_id })).data.user_id
}

/** Goes through Link for this user, without the exchange. */
async function linked(desk: BankDesk, user: { user_id: string } | { user: { client_user_id: string } }) {
  const { data } = await desk.plaid.linkTokenCreate({ ...fields, ...user })
  const { body } = await desk.control('/link', { link_token: data.link_token, institution_id: 'ins_109509' })
  return { public_token: String(body['public_token']), item_id: String(body['item_id']) }
}

async function itemIds(desk: BankDesk, user_id: string): Promise<string[]> {
  return (await desk.plaid.userItemsGet({ user_id })).data.items.map(({ item_id }) => item_id)
}

test('the same client_user_id is the same user, and another one is another', async () => {
  const desk = await openDesk()
  const [one, again, other] = [
    await userNamed(desk, 'one'),
    await userNamed(desk, 'one'),
    await userNamed(desk, 'other'),
  ]
  expect(one).toMatch(/^usr_[0-9A-Za-z]{14}$/)
  expect(again).toBe(one)
  expect(other).not.toBe(one)
  await desk.plaid.userRemove({ user_id: other })
  expect(await userNamed(desk, 'one')).toBe(one)
})

test('items of sessions that named the user_id are listed, exchanged or not; others are not', async () => {
  const desk = await openDesk()
  const user_id = await userNamed(desk, 'one')
  expect(await itemIds(desk, user_id)).toEqual([])
  const waiting = await linked(desk, { user_id })
  const exchanged = await linked(desk, { user_id })
  const { data } = await desk.plaid.itemPublicTokenExchange({ public_token: exchanged.public_token })
  await linked(desk, { user: { client_user_id: 'one' } })
  await linked(desk, { user_id: await userNamed(desk, 'two') })
  expect(await itemIds(desk, user_id)).toEqual([waiting.item_id, exchanged.item_id])
  await desk.plaid.itemRemove({ access_token: data.access_token })
  expect(await itemIds(desk, user_id)).toEqual([waiting.item_id])
})

test('items are removed all or none', async () => {
  const desk = await openDesk()
  const [user_id, stranger] = [await userNamed(desk, 'one'), await userNamed(desk, 'two')]
  const [first, second, third] = [
    await linked(desk, { user_id }),
    await linked(desk, { user_id }),
    await linked(desk, { user_id }),
  ]
  const foreign = await linked(desk, { user_id: stranger })
  const { data } = await desk.plaid.itemPublicTokenExchange({ public_token: first.public_token })
  const refused = await desk.post('/user/items/remove', { user_id, item_ids: [first.item_id, foreign.item_id] })
  expect(refused).toMatchObject({ status: 400, body: { error_code: 'ITEM_NOT_FOUND' } })
  expect(await itemIds(desk, user_id)).toEqual([first.item_id, second.item_id, third.item_id])

  await desk.plaid.userItemsRemove({ user_id, item_ids: [first.item_id, second.item_id] })
  expect(await itemIds(desk, user_id)).toEqual([third.item_id])
  expect(await itemIds(desk, stranger)).toEqual([foreign.item_id])
  const get = await desk.post('/item/get', { access_token: data.access_token })
  expect(get.body['error_code']).toBe('ITEM_NOT_FOUND')
  const exchange = await desk.post('/item/public_token/exchange', { public_token: second.public_token })
  expect(exchange.body['error_code']).toBe('INVALID_PUBLIC_TOKEN')
})

test('an unknown user is an error everywhere', async () => {
  const desk = await openDesk()
  const codes: unknown[] = []
  for (const [path, body] of [
    ['/user/items/get', {}],
    ['/user/items/remove', { item_ids: ['any'] }],
    ['/user/remove', {}],
    ['/link/token/create', fields],
    ['/sandbox/public_token/create', { institution_id: 'ins_109509', initial_products: ['transactions'] }],
  ] as const) {
    const { body: answer } = await desk.post(path, { ...body, user_id: 'usr_00000000000000' })
    codes.push([answer['error_type'], answer['error_code']])
  }
  expect(new Set(codes.map(String))).toEqual(new Set(['USER_ERROR,USER_NOT_FOUND']))
})

test('a removed user loses the items and is unknown afterwards, and is created again as another user', async () => {
  const desk = await openDesk()
  const [gone, kept] = [await userNamed(desk, 'one'), await userNamed(desk, 'two')]
  const userTokenFor = async (user_id: string) => {
    const { public_token } = await linked(desk, { user_id })
    return (await desk.plaid.itemPublicTokenExchange({ public_token })).data.access_token
  }
  const [goneToken, keptToken] = [await userTokenFor(gone), await userTokenFor(kept)]
  await desk.plaid.userRemove({ user_id: gone })
  expect((await desk.post('/item/get', { access_token: goneToken })).body['error_code']).toBe('ITEM_NOT_FOUND')
  expect((await desk.post('/item/get', { access_token: keptToken })).status).toBe(200)
  expect((await desk.post('/user/items/get', { user_id: gone })).body['error_code']).toBe('USER_NOT_FOUND')
  expect(await userNamed(desk, 'one')).not.toBe(gone)
})
