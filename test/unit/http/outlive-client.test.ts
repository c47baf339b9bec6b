// Each request that may change data is passed to `waitUntil` before its work begins.
import { expect, it } from 'vitest'
import { createApp, routes } from '../../../src/http/app.ts'
import { asUser, pathOf, servicesOf } from './serve-app.ts'

const services = servicesOf()
const app = createApp({ servicesFor: () => services, log: { sink: () => 0 } })

/** The number of promises that a request had passed to `waitUntil` when its work began. */
async function heldAtOnce(method: string, path: string): Promise<number> {
  const held: Promise<unknown>[] = []
  const waitUntil = (work: Promise<unknown>): void => void held.push(work)
  const context = { waitUntil, passThroughOnException: () => {}, props: {} }
  const request = new Request(`https://api.example.com${pathOf(path)}`, { method, headers: await asUser() })
  const answered = app.fetch(request, {}, context)
  const count = held.length
  await answered
  await Promise.all(held)
  return count
}

it.each(routes.filter(({ method }) => method !== 'GET').map(({ method, path }) => [method, path] as const))(
  'the request %s %s continues when its client disconnects',
  async (method, path) => {
    expect(await heldAtOnce(method, path)).toBe(1)
  },
)

it.each(routes.filter(({ method }) => method === 'GET').map(({ path }) => path))(
  'the request GET %s ends when its client disconnects',
  async (path) => {
    expect(await heldAtOnce('GET', path)).toBe(0)
  },
)
