// The Bank panel: pages for a person over the simulator's controls. Works without a script. Only its own pages can send its forms.
import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { controls } from '../control/routes.ts'
import { html } from '../link-page/html.ts'
import type { Item } from '../state/item.ts'
import type { Stage } from '../state/stage.ts'
import { bankOrders } from './bank-orders.ts'
import { bankPage } from './bank-page.ts'
import { banksPage, itemPath } from './banks-page.ts'
import { clockPage } from './clock-page.ts'
import { failuresPage } from './failures-page.ts'
import { type Form, formOf } from './form.ts'
import { pageHeaders, pageText, type PanelPage, panelPath, stylePath } from './layout.ts'
import { otherOrders } from './other-orders.ts'
import { openOutcomes, type Order, type Outcomes, unknownOrder } from './outcome.ts'
import { firstCount } from './transactions-part.ts'
import { webhooksPage } from './webhooks-page.ts'

const largestForm = 64 * 1024
const mostTransactions = 1_000

export function bankPanel(stage: Stage): Hono {
  const app = new Hono()
  const outcomes = openOutcomes(controls(stage))
  const itemOf = (context: Context): Item | null => stage.world.items.get(context.req.param('item') ?? '') ?? null
  const show = (context: Context, page: PanelPage, status: 200 | 404 = 200): Response => {
    const id = Number(context.req.query('done'))
    const now = outcomes.all.find((outcome) => outcome.id === id) ?? null
    return context.newResponse(pageText(page, { now, all: outcomes.all }), status, pageHeaders)
  }

  const style = readFileSync(new URL('assets/panel.css', import.meta.url), 'utf8')
  app.get(stylePath, () => new Response(style, { headers: { 'content-type': 'text/css; charset=utf-8' } }))
  app.get(panelPath, (context) => show(context, banksPage(stage.world)))
  app.get(`${panelPath}/webhooks`, (context) => show(context, webhooksPage(stage.world)))
  app.get(`${panelPath}/failures`, (context) => show(context, failuresPage(stage.world)))
  app.get(`${panelPath}/clock`, (context) => show(context, clockPage(stage.world)))
  app.get(`${panelPath}/items/:item`, (context) => {
    const item = itemOf(context)
    if (item === null) return show(context, noBank, 404)
    const { q: search = '', count = '' } = context.req.query()
    const wanted = { search: search.trim().slice(0, 100), count: countOf(count) }
    return show(context, bankPage(stage.world, item, wanted))
  })
  app.use(`${panelPath}/*`, bodyLimit({ maxSize: largestForm }))
  app.post(`${panelPath}/items/:item/:action`, async (context) => {
    const item = itemOf(context)
    if (item === null) return show(context, noBank, 404)
    const build = named(bankOrders, context.req.param('action'))
    return await perform(context, outcomes, itemPath(item), (form) => build?.(item, form) ?? unknownOrder())
  })
  app.post(`${panelPath}/:page/:action`, async (context) => {
    const { page, action } = context.req.param()
    const orders = named(otherOrders, page)
    if (orders === undefined) return show(context, noBank, 404)
    const build = named(orders, action)
    return await perform(context, outcomes, `${panelPath}/${page}`, (form) => build?.(form) ?? unknownOrder())
  })
  return app
}

const noBank: PanelPage = {
  here: 'banks',
  title: 'There is no such bank',
  body: html`<p>It was never linked here, or the simulator was emptied.</p>
    <p><a href="${panelPath}">See the banks</a></p>`,
}

const named = <Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const countOf = (text: string): number =>
  /^[1-9]\d{0,3}$/.test(text) ? Math.min(Number(text), mostTransactions) : firstCount

/** Runs the order of a form, and sends the browser to a page that says what happened. A reload does nothing again. */
async function perform(
  context: Context,
  outcomes: Outcomes,
  page: string,
  order: (form: Form) => Order,
): Promise<Response> {
  if (!isOwnForm(context)) return context.text('the form is of another site', 403)
  const form = formOf(new URLSearchParams(await context.req.text()))
  const { id } = await outcomes.run(() => order(form))
  return context.redirect(`${page}?done=${id}`, 303)
}

/** A browser names the origin of each form that it sends. */
function isOwnForm(context: Context): boolean {
  const { origin, 'sec-fetch-site': site } = context.req.header()
  return origin === new URL(context.req.url).origin && (site === undefined || site === 'same-origin')
}
