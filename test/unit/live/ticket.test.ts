// Tickets of live sockets: what they accept, and for how long.
import { describe, expect, it } from 'vitest'
import { createLive } from '../../../src/live/live.ts'
import { createTickets } from '../../../src/live/ticket.ts'

const [key, otherKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
const now = new Date('2026-03-02T12:00:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const userId = '77777777-7777-4777-8777-777777777777'
const origin = 'https://app.example.com'
const tickets = createTickets(key, null, () => crypto.randomUUID())

describe('a ticket', () => {
  it('names its user, its origin and the end of the socket, for thirty seconds', async () => {
    const { text, expiresAt } = await tickets.issue({ userId, origin, socketEndsAt: later(600) }, now)
    expect(expiresAt).toEqual(later(30))
    expect(await tickets.open(text, later(29))).toMatchObject({
      userId,
      origin,
      issuedAtMs: now.getTime(),
      socketEndsAtMs: later(600).getTime(),
    })
    expect(await tickets.open(text, later(30))).toBeNull()
  })

  it('is refused with another key, and opens with the previous one', async () => {
    const { text } = await tickets.issue({ userId, origin, socketEndsAt: later(600) }, now)
    expect(await createTickets(otherKey, null, () => '').open(text, now)).toBeNull()
    expect(await createTickets(otherKey, key, () => '').open(text, now)).toMatchObject({ userId })
  })

  it('is refused after any change', async () => {
    const { text } = await tickets.issue({ userId, origin, socketEndsAt: later(600) }, now)
    for (let index = 0; index < text.length; index += 1) {
      const changed = text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1)
      expect([index, await tickets.open(changed, now)]).toEqual([index, null])
    }
    for (const made of ['', '.', 'a.b', `${text}.`, `${text}.x`, 'x'.repeat(10_000)])
      expect(await tickets.open(made, now)).toBeNull()
  })

  it('ends its socket with the token, and after an hour at the latest', () => {
    expect(tickets.socketEnd(now, later(60))).toEqual(later(60))
    expect(tickets.socketEnd(now, later(100_000))).toEqual(later(3600))
    // An API key has no expiry of minutes, and can be revoked.
    expect(tickets.socketEnd(now, null)).toEqual(later(900))
  })
})

describe('the sockets of a user', () => {
  it('are notified without an error when their object fails or does not respond', async () => {
    const failures: unknown[] = []
    const never = new Promise<never>(() => undefined)
    const broken = { fetch: () => never, notify: () => Promise.reject(new Error('gone')), close: () => never }
    const live = createLive({
      objects: { getByName: () => broken },
      tickets,
      onFailure: (error) => void failures.push(error),
    })
    await live.notify(userId, { seq: 1, items: [] })
    await live.close(userId, 'signed_out')
    expect(failures).toHaveLength(2)
  })
})
