// The WebSocket of live changes, with a real client against the built Worker: who gets in, what it says, and when it ends.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { signUp } from '../support/accounts-over-http.ts'
import { type Call, type Edge, expectStatus, startEdge } from '../support/edge.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'

const app = 'https://app.example.com'
let edge: Edge
beforeAll(async () => {
  edge = await startEdge({ variables: { CORS_ORIGINS: JSON.stringify([app]) } })
})
afterAll(() => edge.stop())

const ticketAnswer = z.object({ ticket: z.string(), expires_at: z.string() })
const notice = z.strictObject({ seq: z.int(), items: z.array(z.string()) })

/** `origin`: of the page that asks; a client without a page sends none. */
const ticketFor = async (call: Call, origin?: string): Promise<string> => {
  const answer = await call('POST', '/api/v1/live/ticket', origin === undefined ? {} : { headers: { origin } })
  return ticketAnswer.parse(expectStatus(answer, 200).json()).ticket
}

interface Socket {
  readonly socket: WebSocket
  /** Messages so far. */
  readonly messages: string[]
  /** The code of the end. */
  readonly ended: () => Promise<number>
}

/** Opens a socket; rejects with the status of a refusal. */
async function open(ticket: string, origin?: string): Promise<Socket> {
  const url = `${edge.url.replace('http', 'ws')}/api/v1/live?ticket=${encodeURIComponent(ticket)}`
  const socket = new WebSocket(url, origin === undefined ? {} : { origin })
  const messages: string[] = []
  socket.on('message', (data: Buffer) => messages.push(data.toString()))
  const closed = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code))
  })
  // workerd sends the frame at once, and leaves the connection open for ten more seconds.
  const ended = async (): Promise<number> => {
    await expect.poll(() => socket.readyState, { timeout: 20_000 }).toBeGreaterThan(WebSocket.OPEN)
    socket.terminate()
    return await closed
  }
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => resolve())
    socket.on('unexpected-response', (_, { statusCode }) => reject(new Error(`status ${statusCode}`)))
    socket.on('error', reject)
  })
  return { socket, messages, ended }
}

const openFor = async (call: Call): Promise<Socket> => await open(await ticketFor(call))
const numberOf = async (subject: string) =>
  Number((await edge.sql('select change_seq from users where subject = $1', [subject]))[0]?.['change_seq'])

async function noteSomething(subject: string): Promise<void> {
  const [row] = await edge.sql(
    'select t.id from transactions t join users u on u.id = t.user_id where u.subject = $1 limit 1',
    [subject],
  )
  const call = edge.as(subject)
  expectStatus(await call('PATCH', `/api/v1/transactions/${row?.['id']}`, { body: { note: `${Date.now()}` } }), 200)
}

describe('a live socket', () => {
  test('says that something has changed, and which item, to its user alone', async () => {
    const { id } = await edge.linkAndSync('listener')
    await edge.linkAndSync('another')
    const [listener, another] = [await openFor(edge.as('listener')), await openFor(edge.as('another'))]
    await noteSomething('listener')
    await expect.poll(() => listener.messages.length).toBe(1)
    expect(notice.parse(JSON.parse(listener.messages[0] ?? ''))).toEqual({ seq: await numberOf('listener'), items: [] })
    expectStatus(await edge.as('listener')('POST', `/api/v1/plaid/sync/item/${id}`), 202)
    await expect
      .poll(() => listener.messages.some((text) => notice.parse(JSON.parse(text)).items.includes(id)), {
        timeout: 30_000,
      })
      .toBe(true)
    const numbers = listener.messages.map((text) => notice.parse(JSON.parse(text)).seq)
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
    expect(another.messages).toEqual([])
    for (const { socket } of [listener, another]) socket.terminate()
  })

  test('responds to ping, and ends at any other message', async () => {
    const { socket, messages, ended } = await openFor(edge.as('talker'))
    socket.send('ping')
    await once(socket, 'message')
    expect(messages).toEqual(['pong'])
    socket.send('hello')
    expect(await ended()).toBe(1008)
  })

  test('opens once with a ticket, and not with any other text', async () => {
    const ticket = await ticketFor(edge.as('guest'))
    const first = await open(ticket)
    const [body = '', mac = ''] = (await ticketFor(edge.as('guest'))).split('.')
    for (const text of [
      ticket,
      'none',
      body,
      `${body}.${mac.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))}`,
      `${body}.`,
      edge.token('guest'),
    ])
      await expect(open(text)).rejects.toThrow('status 401')
    first.socket.terminate()
  })

  test('opens for the pages that may call, and for clients without a page', async () => {
    for (const origin of [app, 'http://localhost:3000', edge.url, undefined])
      (await open(await ticketFor(edge.as('page'), origin), origin)).socket.terminate()
    for (const origin of ['https://evil.example', 'null', `${app}.evil.example`])
      for (const of of [origin, undefined])
        await expect(open(await ticketFor(edge.as('page'), of), origin)).rejects.toThrow('status 403')
  })

  test('opens from the origin that its ticket was created for', async () => {
    // A native client can name the origin of the URL that it opens.
    ;(await open(await ticketFor(edge.as('page')), edge.url)).socket.terminate()
    const elsewhere = [
      [app, undefined],
      [app, 'http://localhost:3000'],
      [app, edge.url],
      [undefined, app],
    ] as const
    for (const [of, from] of elsewhere)
      await expect(open(await ticketFor(edge.as('page'), of), from)).rejects.toThrow('status 401')
  })

  test('needs an upgrade', async () => {
    const answer = await edge.call('GET', `/api/v1/live?ticket=${await ticketFor(edge.as('reader'))}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/problem+json'])
  })

  test('ends with the access token', async () => {
    const claims = { ...goodClaims('short'), exp: Math.floor(Date.now() / 1000) + 4 }
    const call = edge.callTo(edge.url, mintToken({ secret: String(edge.variables['SECRET_KEY']), claims }))
    const { ended } = await openFor(call)
    expect(await ended()).toBe(4001)
  })

  test('ends at a sign-out, and at the end of all sessions', async () => {
    const account = await signUp(edge, 'live@app.test')
    const first = await openFor(account.call)
    const early = await ticketFor(account.call)
    expectStatus(await edge.call('POST', '/api/v1/auth/logout', { body: { refresh_token: account.refreshToken } }), 204)
    expect(await first.ended()).toBe(4002)
    // Neither does a ticket from before open one, nor does the access token, which has not expired, get another ticket.
    await expect(open(early)).rejects.toThrow('status 401')
    expect((await account.call('POST', '/api/v1/live/ticket')).status).toBe(401)
    const other = await signUp(edge, 'live-all@app.test')
    const second = await openFor(other.call)
    expectStatus(await other.call('POST', '/api/v1/auth/logout-all'), 204)
    expect(await second.ended()).toBe(4002)
  })

  test('ends at an erasure', async () => {
    const { ended } = await openFor(edge.as('leaver'))
    await edge.as('leaver')('POST', '/api/v1/privacy/erase')
    expect(await ended()).toBe(4003)
    expect((await edge.as('leaver')('POST', '/api/v1/live/ticket')).status).toBe(401)
  })

  test('is one of ten: the eleventh ends the oldest', async () => {
    const sockets: Socket[] = []
    for (let count = 0; count < 11; count += 1) {
      sockets.push(await openFor(edge.as('many')))
      await delay(5)
    }
    expect(await sockets[0]?.ended()).toBe(4004)
    expect(sockets.slice(1).map(({ socket }) => socket.readyState)).toEqual(
      Array.from({ length: 10 }, () => WebSocket.OPEN),
    )
    for (const { socket } of sockets) socket.terminate()
  })
})
