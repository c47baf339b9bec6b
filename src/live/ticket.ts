// Tickets for the WebSocket of live changes. A browser cannot send a header with a WebSocket, and an access token in a URL would
// be logged; a ticket is signed, valid for seconds, and works once (./object.ts).
import * as z from 'zod'
import { equalConstantTime } from '../crypto/constant-time.ts'
import { type Authenticator, authenticatorFor } from '../crypto/derived-key.ts'
import { decodeBase64Url, encodeBase64Url, fromUtf8, utf8 } from '../crypto/encoding.ts'

const purpose = 'live-ticket'
const ticketSeconds = 30
/** A socket ends with the token that its ticket was created with, and after this time: the client gets another ticket. */
const longestSocketSeconds = 3600
/** The same for an API key, which can be revoked and has no short token. */
const longestKeySocketSeconds = 900

const contents = z.object({
  /** Identifies the ticket. */
  id: z.guid(),
  userId: z.guid(),
  /** The origin of the page that created the ticket; null for a client that is no page. */
  origin: z.string().nullable(),
  issuedAtMs: z.int(),
  expiresAtMs: z.int(),
  /** When the socket ends. */
  socketEndsAtMs: z.int(),
})
export type Ticket = z.output<typeof contents>

export interface NewTicket {
  readonly userId: string
  readonly origin: string | null
  readonly socketEndsAt: Date
}

export interface Tickets {
  /** @param tokenEndsAt null for an API key */
  socketEnd(now: Date, tokenEndsAt: Date | null): Date
  issue(given: NewTicket, now: Date): Promise<{ readonly text: string; readonly expiresAt: Date }>
  /** Null for a text that is no ticket, was changed, or has expired. */
  open(text: string, now: Date): Promise<Ticket | null>
}

/** The longest text is one with an origin of a host of 253 characters. */
export const longestTicket = 1000

/** @param previousSecret also verifies, during a rotation of the key */
export function createTickets(secret: Uint8Array, previousSecret: Uint8Array | null, newId: () => string): Tickets {
  const current = authenticatorFor(secret, purpose)
  const previous = previousSecret === null ? null : authenticatorFor(previousSecret, purpose)
  const keys: readonly Authenticator[] = previous === null ? [current] : [current, previous]
  return {
    socketEnd(now, tokenEndsAt) {
      const seconds = tokenEndsAt === null ? longestKeySocketSeconds : longestSocketSeconds
      const latest = new Date(now.getTime() + seconds * 1000)
      return tokenEndsAt === null || tokenEndsAt > latest ? latest : tokenEndsAt
    },
    async issue({ userId, origin, socketEndsAt }, now) {
      const expiresAt = new Date(now.getTime() + ticketSeconds * 1000)
      const ticket: Ticket = {
        id: newId(),
        userId,
        origin,
        issuedAtMs: now.getTime(),
        expiresAtMs: expiresAt.getTime(),
        socketEndsAtMs: socketEndsAt.getTime(),
      }
      const body = encodeBase64Url(utf8(JSON.stringify(ticket)))
      const mac = await current([body])
      return { text: `${body}.${encodeBase64Url(mac)}`, expiresAt }
    },
    async open(text, now) {
      if (text.length > longestTicket) return null
      const [body = '', signature = '', ...rest] = text.split('.')
      const given = decodeBase64Url(signature)
      if (given === null || rest.length > 0) return null
      const macs = await Promise.all(keys.map(async (key) => await key([body])))
      if (!macs.some((mac) => equalConstantTime(mac, given))) return null
      const bytes = decodeBase64Url(body)
      const ticket = contents.parse(JSON.parse((bytes && fromUtf8(bytes)) ?? 'null'))
      return ticket.expiresAtMs <= now.getTime() ? null : ticket
    },
  }
}
