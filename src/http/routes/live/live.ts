// The WebSocket of live changes: a ticket for it, and the socket itself. It says that something has changed, and never what.
import * as z from 'zod'
import { allowWatching } from '../../../db/operations/live.ts'
import type { Ctx } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import type { Live } from '../../../live/live.ts'
import { longestTicket } from '../../../live/ticket.ts'
import { isAllowedOrigin } from '../../origins.ts'
import { publicRoute, route } from '../../route.ts'
import { instant, timeText } from '../../schemas.ts'

function liveOf({ services }: Ctx): Live {
  if (services.live !== null) return services.live
  throw new AppError('unavailable', 'This deployment has no live changes.', { reason: 'LIVE is not bound' })
}

const ticketSchema = z
  .object({
    ticket: z.string().describe('The `ticket` of `GET /live`. It works once.'),
    expires_at: instant.describe('When the ticket expires.'),
  })
  .meta({ id: 'LiveTicket' })

const tags = ['live']
const origin = z.string().max(300).optional()

export const createLiveTicketRoute = route({
  id: 'createLiveTicket',
  method: 'POST',
  path: '/api/v1/live/ticket',
  summary: 'Create a ticket for live changes',
  tags,
  access: 'user',
  // A token of a session that has ended opens no socket.
  session: 'live',
  isRead: true,
  audit: { none: 'It opens a socket that says only that something has changed.' },
  headers: z.object({ origin }),
  answers: { 200: ticketSchema },
  errors: [],
}).handle(async (ctx, { headers }) => {
  const { actor, services } = ctx
  const { tickets } = liveOf(ctx)
  const now = ctx.now()
  const socketEndsAt = tickets.socketEnd(now, actor.expiresAt ?? null)
  const userId = await allowWatching(services.api, actor.identity, socketEndsAt)
  const ticket = { userId, origin: headers.origin ?? null, socketEndsAt }
  const { text, expiresAt } = await tickets.issue(ticket, now)
  return { status: 200, body: { ticket: text, expires_at: timeText(expiresAt) } }
})

const noTicket = (reason: string): AppError => new AppError('unauthorized', 'The ticket is not valid.', { reason })

/**
 * Browsers name the page's origin with every WebSocket, and no other rule keeps a page of a stranger from opening one. Native
 * clients name none, or that of the URL they open.
 */
function requireOrigin(
  ctx: Ctx,
  given: { readonly origin?: string | undefined; readonly host?: string | undefined },
): void {
  const { origin: page, host } = given
  if (page === undefined || isOwn(page, host) || isAllowedOrigin(ctx.services.config, page)) return
  throw new AppError('forbidden', 'This origin is not allowed.', { reason: 'origin' })
}

const isOwn = (page: string, host: string | undefined): boolean => host !== undefined && URL.parse(page)?.host === host

export const liveRoute = publicRoute({
  id: 'openLive',
  method: 'GET',
  path: '/api/v1/live',
  summary: 'Open the socket of live changes',
  tags,
  query: z.strictObject({
    ticket: z.string().min(1).max(longestTicket).describe('The ticket of `POST /live/ticket`.'),
  }),
  headers: z.object({ upgrade: z.string().optional(), origin, host: z.string().optional() }),
  answers: { 101: z.instanceof(Response) },
  errors: ['bad_request', 'unauthorized', 'forbidden', 'unavailable', 'validation_failed'],
}).handle(async (ctx, { query, headers }) => {
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    throw new AppError('bad_request', 'This path opens a WebSocket.', { reason: 'no upgrade' })
  requireOrigin(ctx, headers)
  const live = liveOf(ctx)
  const ticket = await live.tickets.open(query.ticket, ctx.now())
  if (ticket === null) throw noTicket('no valid ticket')
  const isOfOrigin =
    ticket.origin === null
      ? headers.origin === undefined || isOwn(headers.origin, headers.host)
      : headers.origin === ticket.origin
  if (!isOfOrigin) throw noTicket('a ticket of another origin')
  return { status: 101, body: await live.open(ticket) }
})
