// The routes under /simulator, which Plaid does not have. They take strict JSON and need no credentials.
import { Hono } from 'hono'
import { isDay } from '../bank/calendar.ts'
import { booksOf } from '../items/books.ts'
import { pastBalances } from '../items/past-balances.ts'
import type { Item } from '../state/item.ts'
import type { Stage } from '../state/stage.ts'
import { advanceClock } from './advance-clock.ts'
import { changeBank } from './change-bank.ts'
import { changeClient } from './change-client.ts'
import { finishLink } from './finish-link.ts'
import { addAlteration, alterationView } from './order-alteration.ts'
import { addFault, faultView } from './order-fault.ts'
import { setDeliveryFaults } from './set-delivery-faults.ts'
import {
  alterationRequest,
  bankChange,
  clientRequest,
  clockRequest,
  faultRequest,
  linkRequest,
  parsedBody,
  refuse,
  resetRequest,
  deliveryFaultsRequest,
} from './requests.ts'
import { truthOf } from './truth.ts'

export function controls(stage: Stage): Hono {
  const app = new Hono()
  const requestedItem = (itemId: string): Item => {
    const item = stage.world.items.get(itemId)
    if (item === undefined) throw refuse(404, `there is no item ${itemId}`)
    return item
  }

  app.get('/truth', (context) => {
    const itemId = context.req.query('item_id')
    if (itemId !== undefined) return json(truthOf(stage.world, requestedItem(itemId)))
    return json({ items: [...stage.world.items.values()].map((item) => truthOf(stage.world, item)) })
  })
  app.get('/books', (context) => {
    const { item_id: itemId = '', from, to } = context.req.query()
    return json(booksOf(stage.world, requestedItem(itemId), dayOrNull(from), dayOrNull(to)))
  })
  app.get('/balances', (context) => json(pastBalances(stage.world, requestedItem(context.req.query('item_id') ?? ''))))
  app.post('/items/:itemId/bank', async (context) => {
    const body = await context.req.text()
    const wanted = parsedBody(bankChange, body)
    const item = requestedItem(context.req.param('itemId'))
    stage.world.journal.note({ op: 'bank', item_id: item.itemId, body })
    return json(changeBank(stage.world, item, wanted))
  })
  app.get('/faults', () => json({ faults: stage.world.faults.map(faultView) }))
  app.post('/faults', async (context) => {
    addFault(stage.world.faults, parsedBody(faultRequest, await context.req.text()))
    return json({ faults: stage.world.faults.map(faultView) })
  })
  app.delete('/faults', () => {
    stage.world.faults.length = 0
    return json({ faults: [] })
  })
  app.get('/answers', () => json({ rules: stage.world.alterations.map(alterationView) }))
  app.post('/answers', async (context) => {
    addAlteration(stage.world.alterations, parsedBody(alterationRequest, await context.req.text()))
    return json({ rules: stage.world.alterations.map(alterationView) })
  })
  app.delete('/answers', () => {
    stage.world.alterations.length = 0
    return json({ rules: [] })
  })
  app.post('/client', async (context) => {
    const body = await context.req.text()
    const wanted = parsedBody(clientRequest, body)
    stage.world.journal.note({ op: 'client', body })
    return json(changeClient(stage.world, wanted))
  })
  app.get('/webhooks', () => json({ deliveries: stage.world.delivery.deliveries }))
  app.post('/webhooks', async (context) =>
    json(setDeliveryFaults(stage.world, parsedBody(deliveryFaultsRequest, await context.req.text()))),
  )
  app.post('/clock', async (context) => {
    const body = await context.req.text()
    const { advance_ms } = parsedBody(clockRequest, body)
    stage.world.journal.note({ op: 'clock', body })
    return json(advanceClock(stage.world, advance_ms))
  })
  app.post('/link', async (context) => {
    const body = await context.req.text()
    const wanted = parsedBody(linkRequest, body)
    stage.world.journal.note({ op: 'link', body })
    return json(finishLink(stage.world, wanted))
  })
  app.get('/calls', () => json({ calls: stage.world.calls }))
  app.post('/reset', async (context) => {
    const { seed } = parsedBody(resetRequest, await context.req.text())
    await stage.reset(seed ?? stage.world.seed)
    return json({ seed: stage.world.seed })
  })
  return app
}

function dayOrNull(text: string | undefined): string | null {
  if (text !== undefined && !isDay(text)) throw refuse(400, 'from and to are days, YYYY-MM-DD')
  return text ?? null
}

function json(body: object): Response {
  return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } })
}
