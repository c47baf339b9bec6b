// The machine with its effects: calls of the client over real HTTP, a played Link, storage, and React's double effects.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createClient } from '@wealthnavigator/client'
import { type Connection, type ConnectionOptions, createConnection } from '../../../src/react/connection.ts'
import type { PlaidOptions } from '../../../src/react/plaid.ts'
import { parseSaved } from '../../../src/react/storage.ts'
import { problem, type Received, type Reply, type ScriptedApi, startScriptedApi } from '../../support/scripted-api.ts'

const item = (id: string, status: string) => ({ id, status, action_required: null })
const created: Reply = {
  body: { link_token: 'link-1', expiration: '2026-11-30T04:00:00Z', hosted_link_url: 'https://hosted.example.com/1' },
}

interface Played {
  readonly connection: Connection
  readonly api: ScriptedApi
  readonly link: { options: PlaidOptions | null; opened: number; destroyed: number }
  readonly storage: Map<string, string>
  readonly hosted: string[]
  paths(): string[]
}

const running: Played[] = []
afterEach(async () => {
  for (const { connection, api } of running.splice(0)) {
    connection.detach()
    await api.stop()
  }
})

async function play(
  answer: (request: Received, before: number) => Reply | null,
  more: Partial<ConnectionOptions> = {},
  storage = new Map<string, string>(),
): Promise<Played> {
  const api = await startScriptedApi((request, before) => {
    const given = answer(request, before)
    if (given !== null) return given
    if (request.path.endsWith('/link/token/create')) return created
    if (request.path.endsWith('/exchange')) return { status: 201, body: item('item-1', 'initializing') }
    if (request.path.includes('/items/item-1')) return { body: item('item-1', 'healthy') }
    return { body: { data: [], next_cursor: null } }
  })
  const link: Played['link'] = { options: null, opened: 0, destroyed: 0 }
  const hosted: string[] = []
  const connection = createConnection({
    client: createClient({ baseUrl: api.url, getToken: () => 'token', tries: 1 }),
    loadLink: () =>
      Promise.resolve((options) => {
        link.options = options
        return { open: () => void (link.opened += 1), destroy: () => void (link.destroyed += 1) }
      }),
    openHosted: (url) => void hosted.push(url),
    storage: {
      getItem: (key) => storage.get(key) ?? null,
      setItem: (key, value) => void storage.set(key, value),
      removeItem: (key) => void storage.delete(key),
    },
    address: () => 'https://app.example.com/',
    pollMs: 5,
    giveUpMs: 40,
    ...more,
  })
  const paths = () => api.received.map(({ method, path }) => `${method} ${path.replace('/api/v1/plaid', '')}`)
  const played = { connection, api, link, storage, hosted, paths }
  running.push(played)
  return played
}

const reach = async ({ connection }: Played, name: string): Promise<void> =>
  await vi.waitFor(() => expect(connection.getState().name).toBe(name), { timeout: 4000, interval: 5 })

const start = { type: 'start', purpose: { kind: 'link' }, mode: 'link' } as const

describe('a connection', () => {
  it('links a bank: token, Link, one exchange with the hints, and the first data', async () => {
    const played = await play(() => null)
    played.connection.attach()
    played.connection.send(start)
    await reach(played, 'linking')
    await vi.waitFor(() => expect(played.link.opened).toBe(1))
    const metadata = {
      institution: { institution_id: 'ins_1', name: 'Bank' },
      accounts: [{ id: 'secret', name: 'Checking', mask: '0000', subtype: 'checking' }],
    }
    played.link.options?.onSuccess('public-1', metadata)
    played.link.options?.onSuccess('public-1', metadata)
    await reach(played, 'healthy')
    const exchanges = played.api.received.filter(({ path }) => path.endsWith('/exchange'))
    expect(exchanges.map(({ body }): unknown => JSON.parse(body))).toEqual([
      {
        public_token: 'public-1',
        link_token: 'link-1',
        institution: { institution_id: 'ins_1', name: 'Bank' },
        accounts: [{ name: 'Checking', mask: '0000', subtype: 'checking' }],
      },
    ])
    expect(played.storage.size).toBe(0)
    expect(played.link.destroyed).toBe(1)
  })

  it('keeps no public token while it exchanges, and finds the item after a reload', async () => {
    const first = await play(({ path }) => (path.endsWith('/exchange') ? { drop: true } : null))
    first.connection.attach()
    first.connection.send(start)
    await vi.waitFor(() => expect(first.link.opened).toBe(1))
    const stored = new Map<string, string>()
    first.connection.subscribe(() => {
      if (first.connection.getState().name === 'exchanging')
        for (const [key, value] of first.storage) stored.set(key, value)
    })
    first.link.options?.onSuccess('public-1', {})
    await reach(first, 'failed')
    expect([...stored.values()].join()).toContain('"step":"waiting"')
    expect([...stored.values()].join()).not.toContain('public-1')
    const second = await play(
      ({ path }) =>
        path.endsWith('/items') ? { body: { data: [item('item-1', 'healthy')], next_cursor: null } } : null,
      {},
      stored,
    )
    second.connection.attach()
    await reach(second, 'healthy')
    expect(second.paths()).toEqual(['GET /items'])
  })

  it('opens Link once for React, which starts and ends each effect twice in development', async () => {
    const storage = new Map([
      [
        'wealthnavigator.connect',
        JSON.stringify({
          step: 'linking',
          mode: 'link',
          purpose: { kind: 'link' },
          linkToken: 'link-1',
          known: [],
          at: Date.now(),
        }),
      ],
    ])
    const address = () => 'https://app.example.com/?oauth_state_id=7'
    const played = await play(() => null, { address }, storage)
    played.connection.attach()
    played.connection.detach()
    played.connection.attach()
    await vi.waitFor(() => expect(played.link.opened).toBe(1))
    expect(played.link.options).toMatchObject({ token: 'link-1', receivedRedirectUri: address() })
    played.link.options?.onSuccess('public-1', {})
    await reach(played, 'healthy')
    expect(played.paths().filter((path) => path.endsWith('/exchange'))).toHaveLength(1)
    expect(played.link).toMatchObject({ opened: 1, destroyed: 1 })
  })

  it('cancels Link with its page, and does not cancel an exchange', async () => {
    const left = await play(() => null)
    left.connection.attach()
    left.connection.send(start)
    await vi.waitFor(() => expect(left.link.opened).toBe(1))
    left.connection.detach()
    await reach(left, 'cancelled')
    expect([left.link.destroyed, left.storage.size]).toEqual([1, 0])
    const kept = await play(() => null)
    kept.connection.attach()
    kept.connection.send(start)
    await vi.waitFor(() => expect(kept.link.opened).toBe(1))
    kept.link.options?.onSuccess('public-1', {})
    kept.connection.detach()
    await reach(kept, 'waiting')
    expect(kept.paths()).toContain('POST /item/public_token/exchange')
  })

  it('opens the page of Hosted Link, and continues after the return', async () => {
    const storage = new Map<string, string>()
    const first = await play(() => null, {}, storage)
    first.connection.attach()
    first.connection.send({ ...start, mode: 'hosted' })
    await vi.waitFor(() => expect(first.hosted).toEqual(['https://hosted.example.com/1']))
    expect(first.api.received.find(({ path }) => path.endsWith('/create'))?.body).toBe('{"hosted":true}')
    const second = await play(
      ({ path }, before) =>
        path.endsWith('/items') && before > 1
          ? { body: { data: [item('item-1', 'initializing')], next_cursor: null } }
          : null,
      { giveUpMs: 10_000 },
      new Map(storage),
    )
    second.connection.attach()
    await reach(second, 'healthy')
  })

  it('gives up after the return without a bank', async () => {
    const played = await play(() => null)
    played.connection.attach()
    played.connection.send({ ...start, mode: 'hosted' })
    await reach(played, 'linking')
    played.connection.send({ type: 'returned', run: 1 })
    await reach(played, 'cancelled')
    expect(played.storage.size).toBe(0)
  })

  it('repairs a login: update mode for the item, and its end reported', async () => {
    const played = await play(({ path }) => (path.endsWith('/repaired') ? { body: item('item-1', 'healthy') } : null))
    played.connection.attach()
    played.connection.send({ ...start, purpose: { kind: 'accounts', itemId: 'item-1' } })
    await vi.waitFor(() => expect(played.link.opened).toBe(1))
    expect(played.api.received[0]?.body).toBe('{"item_id":"item-1","account_selection":true}')
    played.link.options?.onSuccess('public-1', {})
    await reach(played, 'healthy')
    expect(played.paths()).toEqual(['POST /link/token/create', 'POST /items/item-1/repaired'])
  })

  const repair = async (answers: readonly string[]) => {
    let asked = 0
    const played = await play(({ path }) => {
      if (!path.includes('/items/item-1')) return null
      const status = answers[Math.min(asked, answers.length - 1)] ?? ''
      asked += 1
      return { body: { ...item('item-1', status), action_required: status === 'healthy' ? null : 'update' } }
    })
    played.connection.attach()
    played.connection.send({ ...start, purpose: { kind: 'repair', itemId: 'item-1' } })
    await vi.waitFor(() => expect(played.link.opened).toBe(1))
    played.link.options?.onSuccess('public-1', {})
    return played
  }

  it('reads a repaired item until its login is checked', async () => {
    const played = await repair(['needs_update', 'needs_update', 'healthy'])
    await reach(played, 'healthy')
    expect(played.paths().slice(1)).toEqual(['POST /items/item-1/repaired', 'GET /items/item-1', 'GET /items/item-1'])
  })

  it('says what a repaired item still requires, when nothing has changed in time', async () => {
    const played = await repair(['needs_update'])
    await reach(played, 'attention')
    expect(played.connection.getState()).toMatchObject({ item: { status: 'needs_update' } })
  })

  it('fails with the problem of the API, and with the message of Link', async () => {
    const refused = await play(({ path }) => (path.endsWith('/create') ? problem(429, 'too_many_links') : null))
    refused.connection.attach()
    refused.connection.send(start)
    await reach(refused, 'failed')
    expect(refused.connection.getState()).toMatchObject({ error: { code: 'too_many_links' } })
    const left = await play(() => null)
    left.connection.attach()
    left.connection.send(start)
    await vi.waitFor(() => expect(left.link.opened).toBe(1))
    left.link.options?.onExit({ error_code: 'INSTITUTION_DOWN', display_message: 'The bank is down.' })
    expect(left.connection.getState()).toMatchObject({ name: 'failed', error: { message: 'The bank is down.' } })
  })

  it('keeps waiting over failures that pass, and ends at one that does not', async () => {
    let reads = 0
    const played = await play(({ path }) => {
      if (!path.includes('/items/item-1')) return null
      reads += 1
      return reads < 3 ? problem(503, 'unavailable') : problem(404, 'not_found')
    })
    played.connection.attach()
    played.connection.send(start)
    await vi.waitFor(() => expect(played.link.opened).toBe(1))
    played.link.options?.onSuccess('public-1', {})
    await reach(played, 'failed')
    expect(reads).toBe(3)
  })
})

describe('what was stored', () => {
  const nowMs = Date.parse('2026-11-30T00:00:00Z')
  const good = { step: 'linking', mode: 'link', purpose: { kind: 'link' }, linkToken: 'link-1', known: [], at: nowMs }
  it.each([
    ['null', null],
    ['text', 'linking'],
    ['five hours old', { ...good, at: nowMs - 5 * 3_600_000 }],
    ['without a time', { ...good, at: undefined }],
    ['of another step', { ...good, step: 'exchanging' }],
    ['of another purpose', { ...good, purpose: { kind: 'erase' } }],
    ['without its item', { ...good, purpose: { kind: 'repair' } }],
    ['without its token', { ...good, linkToken: undefined }],
    ['with known items that are no ids', { ...good, known: [{}] }],
  ])('is ignored when it is %s', (_what, value) => {
    expect(parseSaved(value, nowMs)).toBeNull()
    expect(parseSaved(good, nowMs)).not.toBeNull()
  })
})
