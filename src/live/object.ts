// The Durable Object of one user's live sockets. It sleeps between messages (WebSocket hibernation): an open socket costs
// nothing while nothing changes. Two versions of the Worker call one object: methods and their members are only added.
import { DurableObject } from 'cloudflare:workers'
import { type Closing, closings, type Notice, ticketHeaders } from './object-types.ts'

/** The most open sockets of a user. One more ends the oldest, whose client may have left without a word. */
const mostSockets = 10
/** The most sockets with those whose clients do not confirm the end. */
const mostWithEnding = 50
/** The most used tickets that are kept. Only without rate limits can a user reach it. */
const mostTickets = 500
/** The least time between two messages. What happens in between is one message. */
const quietMs = 500
/** Items in one message. With more, the client learns only that something has changed. */
const mostItems = 100
/** What is known of a ticket is kept a minute longer than the ticket is valid, for clocks that differ. */
const keptMs = 90_000

interface Attachment {
  readonly openedAtMs: number
  readonly endsAtMs: number
}

const ticketPrefix = 'ticket '
/** When the sockets were last ended: no earlier ticket opens another one. */
const endedKey = 'ended'

export class Live extends DurableObject {
  readonly #storage: DurableObjectStorage
  #pending: Notice | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #sentAtMs = Number.NEGATIVE_INFINITY

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env)
    this.#storage = context.storage
    // Answered without waking the object.
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
  }

  /** Opens a socket for a ticket that the Worker has verified. 409 for a ticket that was used or ended, 429 beyond a bound. */
  override async fetch({ headers }: Request): Promise<Response> {
    const now = Date.now()
    const id = headers.get(ticketHeaders.id) ?? ''
    const [issuedAtMs, endsAtMs] = [
      Number(headers.get(ticketHeaders.issuedAtMs)),
      Number(headers.get(ticketHeaders.endsAtMs)),
    ]
    if (id === '' || !(issuedAtMs > 0) || !(endsAtMs > 0)) return new Response(null, { status: 400 })
    this.#forget(now)
    // No await between reading and writing: no other call runs in between.
    const status = this.#useTicket(id, issuedAtMs, now)
    if (status === 200) this.#makeRoom()
    if (status === 200 && this.ctx.getWebSockets().length >= mostWithEnding) return new Response(null, { status: 429 })
    if (status !== 200) return new Response(null, { status })
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    server.serializeAttachment({ openedAtMs: now, endsAtMs } satisfies Attachment)
    await this.#setAlarm()
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Notifies every socket, at most twice a second. Returns how many there are. */
  notify(notice: Notice): number {
    const { length } = this.#open()
    if (length === 0) return 0
    this.#pending = this.#pending === null ? bounded(notice) : merged(this.#pending, notice)
    const waitMs = this.#sentAtMs + quietMs - Date.now()
    if (waitMs <= 0) this.#send()
    else this.#timer ??= setTimeout(() => this.#send(), waitMs)
    return length
  }

  /** Ends every socket, and every ticket that was issued until now. Returns how many sockets there were. */
  async close(reason: string): Promise<number> {
    this.#storage.kv.put(endedKey, Date.now())
    const sockets = this.#open()
    for (const socket of sockets) end(socket, reason)
    await this.#setAlarm()
    return sockets.length
  }

  /** The client only listens. `ping` never arrives here. */
  override webSocketMessage(socket: WebSocket): void {
    end(socket, 'policy')
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    try {
      socket.close(code, '')
    } catch {
      // A code that must not be sent, as 1005 and 1006, or a socket that is closed already.
    }
  }

  /** Ends the sockets whose time has come; may run twice. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    for (const socket of this.#open()) if (attachmentOf(socket).endsAtMs <= now) end(socket, 'expired')
    this.#forget(now)
    await this.#setAlarm()
  }

  #open(): WebSocket[] {
    return this.ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN)
  }

  /** The status: 200 if the ticket opens a socket. */
  #useTicket(id: string, issuedAtMs: number, now: number): number {
    const key = `${ticketPrefix}${id}`
    if (this.#storage.kv.get(key) !== undefined) return 409
    if (issuedAtMs <= (this.#storage.kv.get<number>(endedKey) ?? 0)) return 409
    if (this.#tickets().length >= mostTickets) return 429
    this.#storage.kv.put(key, now)
    return 200
  }

  #makeRoom(): void {
    const sockets = this.#open().toSorted((one, other) => attachmentOf(one).openedAtMs - attachmentOf(other).openedAtMs)
    for (const oldest of sockets.slice(0, Math.max(0, sockets.length + 1 - mostSockets))) end(oldest, 'replaced')
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const notice = this.#pending
    this.#pending = null
    if (notice === null) return
    this.#sentAtMs = Date.now()
    const text = JSON.stringify(notice)
    for (const socket of this.#open())
      try {
        socket.send(text)
      } catch {
        // It is closing. Its client asks for the changes when it is back.
      }
  }

  /** Used tickets, and when each was used. */
  #tickets(): [string, number][] {
    return [...this.#storage.kv.list<number>({ prefix: ticketPrefix })]
  }

  /** Deletes what concerns tickets that have expired. */
  #forget(now: number): void {
    for (const [key, atMs] of this.#tickets()) if (atMs + keptMs <= now) this.#storage.kv.delete(key)
    if ((this.#storage.kv.get<number>(endedKey) ?? now) + keptMs <= now) this.#storage.kv.delete(endedKey)
  }

  /** At the first time at which a socket ends or a row can go. Without either, the object is deleted. */
  async #setAlarm(): Promise<void> {
    const kept = [...this.#tickets().map(([, atMs]) => atMs), this.#storage.kv.get<number>(endedKey)]
    const rows = kept.filter((atMs) => atMs !== undefined).map((atMs) => atMs + keptMs)
    const times = [...this.#open().map((socket) => attachmentOf(socket).endsAtMs), ...rows]
    if (times.length === 0) await this.#storage.deleteAll()
    else await this.#storage.setAlarm(Math.min(...times))
  }
}

const bounded = ({ seq, items }: Notice): Notice => ({ seq, items: items.length > mostItems ? [] : items })

/** One message for two. A change of which the items are not known leaves them open. */
function merged(one: Notice, other: Notice): Notice {
  const isKnown = one.items.length > 0 && other.items.length > 0
  return bounded({
    seq: Math.max(one.seq, other.seq),
    items: isKnown ? [...new Set([...one.items, ...other.items])] : [],
  })
}

function attachmentOf(socket: WebSocket): Attachment {
  const { openedAtMs, endsAtMs }: Partial<Attachment> = socket.deserializeAttachment() ?? {}
  return { openedAtMs: openedAtMs ?? 0, endsAtMs: endsAtMs ?? 0 }
}

const isClosing = (reason: string): reason is Closing => reason in closings

function end(socket: WebSocket, reason: string): void {
  const [code, words] = closings[isClosing(reason) ? reason : 'signed_out']
  try {
    socket.close(code, words)
  } catch {
    // It is closed already.
  }
}
