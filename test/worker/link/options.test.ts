// The parameters of a link token, by the choices of the client and of the operator.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Config } from '../../../src/config/config.ts'
import { createLinkToken, type LinkTokenInput } from '../../../src/link/create-link-token.ts'
import { reconcile } from '../../../src/link/reconcile.ts'
import { letTimePass, linkAndSyncSmallBank, userWith, useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
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

/**
 * The body of the single call to /link/token/create. The simulator refuses combinations that Plaid's description does
 * not allow.
 */
async function bodyOf(wanted: Partial<LinkTokenInput>, link: Partial<Config['plaid']['link']> = {}): Promise<unknown> {
  const { config } = world.services
  const services = {
    ...world.services,
    config: { ...config, plaid: { ...config.plaid, link: { ...config.plaid.link, ...link } } },
  }
  const { fetch } = globalThis
  let body: unknown = null
  globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
    const request = new Request(...args)
    if (request.url.endsWith('/link/token/create')) body = await request.clone().json()
    return await fetch(request)
  }
  try {
    await createLinkToken(userWith(world, 'options', services), { ...fresh, ...wanted })
  } finally {
    globalThis.fetch = fetch
  }
  return body
}

describe('the products of a link token', () => {
  it('are the first, and the others as optional ones, unless the operator chose otherwise', async () => {
    const body = await bodyOf({})
    expect(body).toMatchObject({ products: ['transactions'], optional_products: ['investments', 'liabilities'] })
    expect(body).not.toHaveProperty('required_if_supported_products')
    expect(body).not.toHaveProperty('additional_consented_products')
  })

  it('are each in the one list that the operator chose', async () => {
    const body = await bodyOf({}, { requiredIfSupported: ['investments'], additionalConsented: ['liabilities'] })
    expect(body).toMatchObject({
      products: ['transactions'],
      required_if_supported_products: ['investments'],
      additional_consented_products: ['liabilities'],
    })
    expect(body).not.toHaveProperty('optional_products')
  })

  it('are those of the client alone where it names some', async () => {
    const link = { requiredIfSupported: ['investments'], additionalConsented: ['liabilities'] } as const
    const body = await bodyOf({ products: ['liabilities'] }, link)
    expect(body).toMatchObject({ products: ['liabilities'] })
    for (const list of ['optional_products', 'required_if_supported_products', 'additional_consented_products'])
      expect(body).not.toHaveProperty(list)
  })

  it.each([
    [['transactions'], 730],
    [['investments', 'transactions'], 730],
    [['investments', 'liabilities'], undefined],
  ] as const)('%j ask for so many days of transactions: %s', async (products, days) => {
    const { transactions } = z.object({ transactions: z.unknown().optional() }).parse(await bodyOf({ products }))
    expect(transactions).toEqual(days === undefined ? undefined : { days_requested: days })
  })

  it('are left out in update mode', async () => {
    const item = await linkAndSyncSmallBank(world, 'options')
    const body = await bodyOf({ itemId: item.id }, { additionalConsented: ['liabilities'] })
    for (const list of ['products', 'optional_products', 'additional_consented_products', 'transactions'])
      expect(body).not.toHaveProperty(list)
  })
})

describe('a link token', () => {
  it('carries the name that the operator chose', async () => {
    expect(await bodyOf({}, { clientName: 'Orchard Money' })).toMatchObject({ client_name: 'Orchard Money' })
  })

  it('names an Android package and no redirect URI', async () => {
    const body = await bodyOf({ androidPackageName: 'com.example.app' })
    expect(body).toMatchObject({ android_package_name: 'com.example.app' })
    expect(body).not.toHaveProperty('redirect_uri')
  })

  it('passes on how a hosted page ends, who opens it and how long it can be opened', async () => {
    expect(await bodyOf({ hosted: true })).toMatchObject({ hosted_link: { url_lifetime_seconds: 1800 } })
    const hostedLink = {
      completionRedirectUri: 'https://app.example.com/done',
      isMobileApp: true,
      urlLifetimeSeconds: 86_400,
    }
    expect(await bodyOf({ hosted: true, hostedLink })).toMatchObject({
      hosted_link: {
        completion_redirect_uri: 'https://app.example.com/done',
        is_mobile_app: true,
        url_lifetime_seconds: 86_400,
      },
    })
  })
})

describe('a hosted page that can be opened for days', () => {
  it('is asked about once an hour, and every five minutes in its last hour', async () => {
    const hostedLink = { completionRedirectUri: null, isMobileApp: false, urlLifetimeSeconds: 21 * 86_400 }
    await createLinkToken(world.user('long page'), { ...fresh, hosted: true, hostedLink })
    const due = async () => {
      const [row] = await world.sql(
        `select extract(epoch from check_at - now())::int as due from link_sessions s join users u on u.id = s.user_id where u.subject = 'long page'`,
      )
      return Number(row?.['due'])
    }
    await letTimePass(world)
    await reconcile(world.job())
    expect(await due()).toBeGreaterThan(3500)
    await world.sql("update link_sessions set expires_at = now() + interval '50 minutes'")
    await letTimePass(world)
    await reconcile(world.job())
    expect(await due()).toBeLessThanOrEqual(300)
  })
})
