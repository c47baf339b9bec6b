// A receiver of events with an address, for tests of the built bundle.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, vi } from 'vitest'
import * as z from 'zod'
import type { Edge } from './edge.ts'
import { createEventReceiver, type EventReceiver } from './event-receiver.ts'

export interface EventServer {
  readonly url: string
  readonly receiver: EventReceiver
  stop(): Promise<void>
}

export async function startEventServer(): Promise<EventServer> {
  const receiver = createEventReceiver()
  const server = createServer((incoming, response) => {
    const answer = async (): Promise<void> => {
      const headers = new Headers()
      for (const [name, value] of Object.entries(incoming.headers))
        if (typeof value === 'string') headers.set(name, value)
      const body = await text(incoming)
      const given = await receiver.call(new Request('http://receiver.test/', { method: 'POST', headers, body }))
      response.writeHead(given.status, Object.fromEntries(given.headers)).end(await given.text())
    }
    answer().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the receiver has no TCP address')
  return {
    url: `http://127.0.0.1:${address.port}/events`,
    receiver,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const created = z.object({ id: z.string(), secret: z.string(), state: z.literal('enabled') })
const deliveries = z.object({ data: z.array(z.object({ state: z.string() })) })

/** Makes an endpoint of a user and waits until a test has been delivered to it. Returns its id and secret. */
export async function listenAndPing(edge: Edge, subject: string, url: string): Promise<z.output<typeof created>> {
  const call = edge.as(subject)
  const endpoint = created.parse((await call('POST', '/api/v1/webhooks/endpoints', { body: { url } })).json())
  expect((await call('POST', `/api/v1/webhooks/endpoints/${endpoint.id}/ping`)).status).toBe(200)
  const states = async (): Promise<readonly string[]> =>
    deliveries
      .parse((await call('GET', `/api/v1/webhooks/deliveries?endpoint_id=${endpoint.id}`)).json())
      .data.map(({ state }) => state)
  await vi.waitFor(async () => expect(await states()).toEqual(['delivered']), { timeout: 20_000, interval: 100 })
  return endpoint
}
