// Products that an item lacks for a while, and consent that the user gives later.
import { CountryCode, Products } from 'plaid'
import { expect, test } from 'vitest'
import { openDesk } from './bank-desk.ts'

const products = [Products.Transactions, Products.Investments]

test('a product is absent until it comes back, for its endpoints and in /item/get', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ institution: 'ins_109508', products })
  const holdings = async () => (await desk.post('/investments/holdings/get', { access_token })).body['error_code']
  const listed = async () => (await desk.plaid.itemGet({ access_token })).data.item.billed_products
  expect(await holdings()).toBeUndefined()
  await desk.control(`/items/${item_id}/bank`, { products_absent: ['investments'] })
  expect(await holdings()).toBe('PRODUCTS_NOT_SUPPORTED')
  expect(await listed()).toEqual(['transactions'])
  expect((await desk.post('/transactions/sync', { access_token })).status).toBe(200)
  await desk.control(`/items/${item_id}/bank`, { products_returned: true })
  expect(await holdings()).toBeUndefined()
  expect(await listed()).toEqual(products)
})

test('a product without consent comes back when update mode asks for the consent', async () => {
  const desk = await openDesk()
  const { access_token, item_id } = await desk.link({ institution: 'ins_109508', products })
  const absent = { products: ['investments'], error_code: 'ADDITIONAL_CONSENT_REQUIRED' }
  await desk.control(`/items/${item_id}/bank`, { products_absent: absent })
  const item = async () => (await desk.plaid.itemGet({ access_token })).data.item
  expect((await item()).consented_products).not.toContain('investments')
  const update = async (more: object) => {
    const fields = { client_name: 'Test', language: 'en', country_codes: [CountryCode.Us] }
    const user = { client_user_id: 'one' }
    const { data } = await desk.plaid.linkTokenCreate({ ...fields, user, access_token, ...more })
    await desk.control('/link', { link_token: data.link_token })
    return (await desk.post('/investments/holdings/get', { access_token })).body['error_code']
  }
  expect(await update({})).toBe('ADDITIONAL_CONSENT_REQUIRED')
  expect(await update({ additional_consented_products: [Products.Investments] })).toBeUndefined()
  expect((await item()).consented_products).toContain('investments')
})
