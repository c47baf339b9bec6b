// In workerd, the URL of a request has the scheme and the host that the client used.
import { describe, expect, it } from 'vitest'
import { createApp } from '../../../src/http/app.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const context = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} }

async function ask(url: string, headers: Record<string, string> = {}): Promise<Response> {
  const { services } = world
  const strict = { ...services, config: { ...services.config, strict: true } }
  const app = createApp({ servicesFor: () => strict, log: { sink: () => undefined } })
  return await app.fetch(new Request(url, { headers, redirect: 'manual' }), {}, context)
}

describe('plain http in workerd', () => {
  it('is redirected without a token, and refused with one', async () => {
    const redirected = await ask('http://api.wealth.test/ready?a=1')
    expect([redirected.status, redirected.headers.get('location')]).toEqual([308, 'https://api.wealth.test/ready?a=1'])
    const refused = await ask('http://api.wealth.test/ready', { authorization: 'Bearer x' })
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'https_required' }])
  })

  it('does not concern https', async () => {
    expect((await ask('https://api.wealth.test/ready')).status).toBe(200)
    expect((await ask('https://api.wealth.test/api/v1/plaid/items')).status).toBe(401)
  })
})
