// The Durable Object of live sockets, run by the platform: what a ticket opens, what sockets receive, what ends them, and that
// nothing stays behind.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ticketHeaders } from '../../../src/live/object-types.ts'
import type { Live } from '../../../src/live/object.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      LIVE: DurableObjectNamespace<Live>
    }
  }
}

const hourMs = 3_600_000
const start = Date.parse('2031-03-04T05:06:07.890Z')
let count = 0
let stub: DurableObjectStub<Live>

beforeEach(() => {
  count += 1
  stub = env.LIVE.getByName(`test ${count}`)
})
afterEach(() => {
  vi.useRealTimers()
})

/** Moves the clock of the Worker and of its Durable Objects, and of nothing else. */
function setTime(now: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now })
}

interface Given {
  readonly id?: string
  readonly issuedAtMs?: number
  readonly endsAtMs?: number
}

const ask = async ({ id = crypto.randomUUID(), issuedAtMs, endsAtMs }: Given = {}): Promise<Response> =>
  await stub.fetch('https://live.internal/', {
    headers: {
      upgrade: 'websocket',
      [ticketHeaders.id]: id,
      [ticketHeaders.issuedAtMs]: String(issuedAtMs ?? Date.now()),
      [ticketHeaders.endsAtMs]: String(endsAtMs ?? Date.now() + hourMs),
    },
  })

interface Socket {
  readonly socket: WebSocket
  readonly messages: unknown[]
  readonly codes: number[]
}

async function open(given: Given = {}): Promise<Socket> {
  const { status, webSocket: socket } = await ask(given)
  if (socket === null) throw new Error(`status ${status}`)
  const [messages, codes]: [unknown[], number[]] = [[], []]
  socket.addEventListener('message', ({ data }) => void messages.push(JSON.parse(String(data))))
  socket.addEventListener('close', ({ code }) => void codes.push(code))
  socket.accept()
  return { socket, messages, codes }
}

const stored = () =>
  runInDurableObject(stub, async (_object, { storage }) => ({
    rows: [...storage.kv.list()].length,
    alarm: await storage.getAlarm(),
  }))

describe('a ticket', () => {
  it('opens one socket, also after the object slept, and when both come at once', async () => {
    const id = crypto.randomUUID()
    const both = await Promise.all([ask({ id }), ask({ id })])
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([101, 409]))
    await evictDurableObject(stub)
    expect((await ask({ id })).status).toBe(409)
  })

  it('opens none after the sockets were ended, if it is from before', async () => {
    setTime(start)
    expect(await stub.close('signed_out')).toBe(0)
    await evictDurableObject(stub)
    expect((await ask({ issuedAtMs: start - 1 })).status).toBe(409)
    expect((await ask({ issuedAtMs: start })).status).toBe(409)
    expect((await ask({ issuedAtMs: start + 1 })).status).toBe(101)
  })

  it('is refused beyond five hundred in its time, and without its parts', async () => {
    setTime(start)
    await runInDurableObject(stub, (_object, { storage }) => {
      for (let index = 0; index < 500; index += 1) storage.kv.put(`ticket ${index}`, start)
    })
    expect((await ask()).status).toBe(429)
    setTime(start + 90_000)
    expect((await ask()).status).toBe(101)
    expect((await stub.fetch('https://live.internal/')).status).toBe(400)
  })
})

describe('the sockets', () => {
  it('receive one message for the changes of half a second, and of each only the number and the items', async () => {
    const [one, other] = [await open(), await open()]
    expect(await stub.notify({ seq: 1, items: ['a'] })).toBe(2)
    await Promise.all([3, 2].map(async (seq) => await stub.notify({ seq, items: [`b${seq}`] })))
    await expect.poll(() => one.messages.length).toBe(2)
    expect(one.messages).toEqual([
      { seq: 1, items: ['a'] },
      { seq: 3, items: ['b3', 'b2'] },
    ])
    await expect.poll(() => other.messages).toEqual(one.messages)
  })

  it('receive no items where any may have changed, or where there are too many', async () => {
    const { messages } = await open()
    await stub.notify({ seq: 1, items: Array.from({ length: 101 }, (_, index) => `${index}`) })
    await stub.notify({ seq: 2, items: ['a'] })
    await stub.notify({ seq: 3, items: [] })
    await stub.notify({ seq: 4, items: ['b'] })
    await expect
      .poll(() => messages)
      .toEqual([
        { seq: 1, items: [] },
        { seq: 4, items: [] },
      ])
  })

  it('receive messages after the object slept', async () => {
    const { messages } = await open()
    await evictDurableObject(stub, { webSockets: 'hibernate' })
    await stub.notify({ seq: 7, items: ['a'] })
    await expect.poll(() => messages).toEqual([{ seq: 7, items: ['a'] }])
  })

  it('end at their time, each at its own, also after the object slept', async () => {
    setTime(start)
    const [first, second] = [await open({ endsAtMs: start + 1000 }), await open({ endsAtMs: start + hourMs })]
    await evictDurableObject(stub, { webSockets: 'hibernate' })
    expect((await stored()).alarm).toBe(start + 1000)
    setTime(start + 1000)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    await expect.poll(() => first.codes).toEqual([4001])
    expect(second.codes).toEqual([])
  })

  it('end when they are ended, with the reason', async () => {
    for (const [reason, code] of [
      ['signed_out', 4002],
      ['erased', 4003],
      ['a reason of a later version', 4002],
    ] as const) {
      const { codes } = await open({ issuedAtMs: Date.now() + 1000 })
      expect(await stub.close(reason)).toBe(1)
      await expect.poll(() => codes).toEqual([code])
    }
  })

  it('end at a message of the client', async () => {
    const { socket, codes } = await open()
    socket.send('x'.repeat(100_000))
    await expect.poll(() => codes).toEqual([1008])
  })

  it('are ten: one more ends the oldest', async () => {
    setTime(start)
    const sockets: Socket[] = []
    for (let index = 0; index < 12; index += 1) {
      setTime(start + index)
      sockets.push(await open())
    }
    const codesOf = () => sockets.map(({ codes }) => codes[0] ?? null)
    await expect.poll(codesOf).toEqual([4004, 4004, ...Array.from({ length: 10 }, () => null)])
  })
})

describe('the object', () => {
  it('keeps nothing when no socket is open and no ticket is valid', async () => {
    setTime(start)
    const { socket } = await open()
    await stub.close('signed_out')
    expect(await stored()).toEqual({ rows: 2, alarm: start + 90_000 })
    socket.close()
    setTime(start + 90_000)
    await runDurableObjectAlarm(stub)
    expect(await stored()).toEqual({ rows: 0, alarm: null })
  })
})
