// Events of the built bundle, over its queues and real HTTP: from a change at the bank to the receiver.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { callFor } from '../support/administrator.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { type EventServer, listenAndPing, startEventServer } from '../support/event-server.ts'

let edge: Edge
let events: EventServer
beforeAll(async () => {
  ;[edge, events] = await Promise.all([startEdge(), startEventServer()])
})
afterAll(() => Promise.all([edge.stop(), events.stop()]))

const transactions = z.object({ data: z.array(z.object({ id: z.string() })) })

describe('an edit', () => {
  it('reaches the receiver within seconds, signed', async () => {
    await edge.linkAndSync('anna')
    const { id, secret } = await listenAndPing(edge, 'anna', events.url)
    events.receiver.secrets = [secret]
    const [first] = transactions.parse((await edge.as('anna')('GET', '/api/v1/transactions?limit=1')).json()).data
    const edited = await edge.as('anna')('PATCH', `/api/v1/transactions/${first?.id}`, { body: { note: 'seen' } })
    expect(edited.status).toBe(200)
    const changed = () => events.receiver.events.filter(({ type }) => type === 'transactions.changed')
    await expect.poll(changed, { timeout: 20_000 }).toMatchObject([{ data: { upserted: 1, removed: 0 } }])
    expect(events.receiver.unsigned).toBe(0)
    const rotated = await edge.as('anna')('POST', `/api/v1/webhooks/endpoints/${id}/secret`)
    expect(rotated.status).toBe(200)
    expect(rotated.text).not.toContain(secret)
  })
})

describe('an endpoint of administrators', () => {
  it('gets the events of every user, and is shown to administrators alone', async () => {
    const admin = callFor(edge, { path: '/api/v1/admin/webhooks/endpoints' }, 'operator')
    const created = await admin('POST', '/api/v1/admin/webhooks/endpoints', {
      body: { url: events.url, events: ['item.linked'] },
    })
    expect([created.status, created.json()]).toMatchObject([201, { state: 'enabled', events: ['item.linked'] }])
    const { secret } = z.object({ secret: z.string() }).parse(created.json())
    events.receiver.secrets.push(secret)
    const { id } = await edge.linkAndSync('bert')
    const linked = () => events.receiver.events.filter(({ type }) => type === 'item.linked')
    await expect.poll(linked, { timeout: 20_000 }).toMatchObject([{ data: { item: id, subject: 'bert' } }])
    expect((await edge.as('bert')('GET', '/api/v1/webhooks/endpoints')).json()).toMatchObject({ data: [] })
    expect((await edge.as('bert')('GET', '/api/v1/admin/webhooks/endpoints')).status).toBe(403)
  })
})
