// The isolate's side of the live sockets: one object for each user.
import { AppError } from '../errors.ts'
import { withTimeout } from '../timeout.ts'
import { type Closing, type Notice, ticketHeaders } from './object-types.ts'
import type { Ticket, Tickets } from './ticket.ts'

interface LiveStub {
  fetch(request: Request): Promise<Response>
  notify(notice: Notice): Promise<number>
  close(reason: Closing): Promise<number>
}

/** The part of the Durable Objects' namespace that is used. */
export interface LiveObjects {
  getByName(name: string): LiveStub
}

export interface Live {
  readonly tickets: Tickets
  /**
   * Opens a socket.
   * @throws AppError `unauthorized` for a ticket that was used or that a sign-out ended, `rate_limited`, `unavailable`
   */
  open(ticket: Ticket): Promise<Response>
  /** Notifies the user's sockets, as far as possible: their clients find what they miss in the change feed. Never rejects. */
  notify(userId: string, notice: Notice): Promise<void>
  /** Ends the user's sockets. Never rejects: each ends at the latest with its token. */
  close(userId: string, reason: Closing): Promise<void>
}

/** A notice is worth no longer wait. */
const timeoutMs = 1000
const openTimeoutMs = 10_000

async function opened(object: LiveStub, request: Request): Promise<Response> {
  try {
    return await withTimeout(openTimeoutMs, object.fetch(request))
  } catch (cause) {
    throw new AppError('unavailable', 'Live changes are not available at the moment. Try again shortly.', { cause })
  }
}

interface LiveOptions {
  readonly objects: LiveObjects
  readonly tickets: Tickets
  readonly onFailure: (error: unknown) => void
}

export function createLive({ objects, tickets, onFailure }: LiveOptions): Live {
  const attempt = async (userId: string, call: (stub: LiveStub) => Promise<number>): Promise<void> => {
    try {
      await withTimeout(timeoutMs, call(objects.getByName(userId)))
    } catch (error) {
      onFailure(error)
    }
  }
  return {
    tickets,
    async open({ id, userId, issuedAtMs, socketEndsAtMs }) {
      const headers = {
        upgrade: 'websocket',
        [ticketHeaders.id]: id,
        [ticketHeaders.issuedAtMs]: String(issuedAtMs),
        [ticketHeaders.endsAtMs]: String(socketEndsAtMs),
      }
      const request = new Request('https://live.internal/', { headers })
      const response = await opened(objects.getByName(userId), request)
      if (response.status === 101) return response
      if (response.status === 409)
        throw new AppError('unauthorized', 'The ticket is not valid.', { reason: 'a ticket that was used or ended' })
      if (response.status === 429)
        throw new AppError('rate_limited', 'Too many sockets were opened. Try again later.', { retryAfterSeconds: 60 })
      throw new AppError('internal', 'Something went wrong on our side.', { reason: `live ${response.status}` })
    },
    notify: async (userId, notice) => await attempt(userId, async (stub) => await stub.notify(notice)),
    close: async (userId, reason) => await attempt(userId, async (stub) => await stub.close(reason)),
  }
}
