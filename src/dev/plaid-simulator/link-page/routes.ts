// The pages behind `hosted_link_url` and link-initialize.js, and the page of a bank with OAuth. The link token in the
// path is the permission: no cookie is set. A form of another origin is refused.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { isLoopback } from '../lib/loopback-cors.ts'
import type { LinkPage } from '../state/link-page.ts'
import type { LinkToken } from '../state/link-token.ts'
import type { Stage } from '../state/stage.ts'
import type { World } from '../state/world.ts'
import { act } from './actions.ts'
import { assets } from './assets.ts'
import { actAtBank, bankPath, returnFromBank, returnUrl, visitWith } from './bank-visit.ts'
import { embedMessages } from './embed-messages.ts'
import { pageHeaders, pageText, type Shown } from './layout.ts'
import { bankSitePage, endPage, leavePage, noPage } from './other-pages.ts'
import { noteRequest, openPage, openPageOf, type NoPage, usableToken } from './session.ts'
import { stepPage } from './step-pages.ts'

const largestForm = 256 * 1024

export function linkPages(stage: Stage): Hono {
  const app = new Hono()
  app.route('/', assets())
  app.use('/hl/*', bodyLimit({ maxSize: largestForm }))
  app.use('/bank/*', bodyLimit({ maxSize: largestForm }))
  app.get('/hl/:token', (context) => showLink(context, stage.world))
  app.get('/hl/:token/embed', (context) => embed(context, stage.world))
  app.get('/hl/:token/return', (context) => comeBack(context, stage.world))
  app.get('/hl/:token/done', (context) => showEnd(context, stage.world))
  app.post('/hl/:token/:action', (context) => submit(context, stage.world))
  app.get('/bank/:state', (context) => showBank(context, stage.world))
  app.post('/bank/:state/:action', (context) => submitAtBank(context, stage.world))
  return app
}

const statuses: Readonly<Record<NoPage | 'wrong_state', 400 | 404 | 410>> = {
  unknown: 404,
  not_hosted: 404,
  expired: 410,
  used: 410,
  wrong_state: 400,
}

function refused(context: Context, reason: NoPage | 'wrong_state'): Response {
  return context.newResponse(pageText(noPage(reason), null), statuses[reason], pageHeaders(null, null))
}

function shown(context: Context, token: LinkToken, page: LinkPage | null, content: Shown): Response {
  return context.newResponse(pageText(content, page?.parentOrigin ?? null), 200, pageHeaders(token, page))
}

/** The current step of the open page. Opens Hosted Link if none is open. */
function showLink(context: Context, world: World): Response {
  const token = usableToken(world, context.req.param('token') ?? '')
  if (typeof token === 'string') return refused(context, token)
  const opened = openPageOf(world, token)
  if (opened === null && token.hosted === null) return refused(context, 'not_hosted')
  const page = opened ?? openPage(world, token, null)
  noteRequest(world, token, page)
  const visitor = { world, token, page }
  const { leave, q = '' } = context.req.query()
  const content = leave === undefined ? stepPage(visitor, q.trim().slice(0, 100)) : leavePage(visitor)
  return shown(context, token, page, { ...content, messages: embedMessages(world, token, page) })
}

/** Opens Link in a frame of a page on this machine, or continues it there after the bank's page. */
function embed(context: Context, world: World): Response {
  const token = usableToken(world, context.req.param('token') ?? '')
  if (typeof token === 'string') return refused(context, token)
  const { origin = '', oauth_state_id: state } = context.req.query()
  if (!isLoopback(origin) || new URL(origin).origin !== origin)
    return context.text('origin is not of this machine', 400)
  if (state === undefined) openPage(world, token, origin)
  else {
    const page = openPageOf(world, token)
    if (page === null || !returnFromBank(world, token, page, state)) return refused(context, 'wrong_state')
    page.parentOrigin = origin
  }
  return next(context, world, token)
}

/** To the end if the session has ended, otherwise to the current step. */
function next(context: Context, world: World, token: LinkToken): Response {
  return context.redirect(openPageOf(world, token) === null ? `/hl/${token.token}/done` : `/hl/${token.token}`, 303)
}

/** The bank sends the browser back to Hosted Link. */
function comeBack(context: Context, world: World): Response {
  const token = world.linkTokens.get(context.req.param('token') ?? '')
  if (token === undefined) return refused(context, 'unknown')
  const page = openPageOf(world, token)
  // A reloaded return, after which the session has ended.
  if (page === null) return next(context, world, token)
  const state = context.req.query('oauth_state_id') ?? ''
  if (!returnFromBank(world, token, page, state)) return refused(context, 'wrong_state')
  return next(context, world, token)
}

function showEnd(context: Context, world: World): Response {
  const token = world.linkTokens.get(context.req.param('token') ?? '')
  const page = token === undefined ? undefined : world.linkPages.get(token.token)
  if (token === undefined || page === undefined) return refused(context, token === undefined ? 'unknown' : 'used')
  if (page.session.finished === null) return next(context, world, token)
  const target = token.hosted?.completionUri ?? null
  if (target !== null && page.parentOrigin === null) return context.redirect(target, 303)
  const messages = embedMessages(world, token, page)
  return shown(context, token, page, { ...endPage(token, page.session), messages })
}

async function submit(context: Context, world: World): Promise<Response> {
  const form = await ownForm(context)
  if (form === null) return context.text('the form is of another site', 403)
  const text = context.req.param('token') ?? ''
  const token = usableToken(world, text)
  // A second click on the last button.
  if (token === 'used') return context.redirect(`/hl/${text}/done`, 303)
  if (typeof token === 'string') return refused(context, token)
  const page = openPageOf(world, token)
  if (page !== null) act({ world, token, page }, context.req.param('action') ?? '', form)
  // The page of the bank is another site: there is no step to show until the user returns.
  const leaves = page !== null && page.visit !== null && page.step === 'oauth' && page.session.finished === null
  return leaves && page.visit !== null ? context.redirect(bankPath(page.visit), 303) : next(context, world, token)
}

/** The fields of the form, or null for a request that a page of another origin sends. */
async function ownForm(context: Context): Promise<URLSearchParams | null> {
  const origin = context.req.header('origin')
  if (origin !== undefined && origin !== new URL(context.req.url).origin) return null
  return new URLSearchParams(await context.req.text())
}

function showBank(context: Context, world: World): Response {
  const at = visitWith(world, context.req.param('state') ?? '')
  if (at === null) return refused(context, 'wrong_state')
  noteRequest(world, at.token, at.page)
  return shown(context, at.token, at.page, bankSitePage(at))
}

async function submitAtBank(context: Context, world: World): Promise<Response> {
  const form = await ownForm(context)
  if (form === null) return context.text('the form is of another site', 403)
  const at = visitWith(world, context.req.param('state') ?? '')
  if (at === null) return refused(context, 'wrong_state')
  const isDone = actAtBank(at, context.req.param('action') ?? '', form)
  return context.redirect(isDone ? returnUrl(at) : bankPath(at.visit), 303)
}
