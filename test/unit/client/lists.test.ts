// Iterators over lists and over the change feed.
import { afterEach, describe, expect, it } from 'vitest'
import { createClient, FeedExpiredError } from '@wealthnavigator/client'
import { problem, type Reply, type ScriptedApi, startScriptedApi } from '../../support/scripted-api.ts'

let api: ScriptedApi
afterEach(async () => {
  await api.stop()
})

const serve = async (answer: (query: URLSearchParams) => Reply) => {
  api = await startScriptedApi(({ path }) => answer(new URL(path, 'http://x').searchParams))
  return createClient({ baseUrl: api.url, getToken: () => 'token' })
}
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ name: `row ${from + index}` }))

describe('the rows of a list', () => {
  it('come in order over all pages, with the query of the caller on each', async () => {
    const client = await serve((query) => {
      const from = Number(query.get('cursor') ?? 0)
      return { body: { data: rows(from, Math.min(from + 3, 7)), next_cursor: from + 3 < 7 ? String(from + 3) : null } }
    })
    const names: string[] = []
    for await (const { name } of client.rows('/api/v1/transactions', { params: { query: { limit: 3, q: 'a b' } } }))
      names.push(name)
    expect(names).toEqual(rows(0, 7).map(({ name }) => name))
    expect(api.received.map(({ path }) => path)).toEqual([
      '/api/v1/transactions?limit=3&q=a%20b',
      '/api/v1/transactions?limit=3&q=a%20b&cursor=3',
      '/api/v1/transactions?limit=3&q=a%20b&cursor=6',
    ])
  })

  it('are requested only as far as they are read', async () => {
    const client = await serve((query) => ({
      body: { data: rows(0, 2), next_cursor: String(Number(query.get('cursor') ?? 0) + 2) },
    }))
    for await (const _ of client.rows('/api/v1/accounts')) break
    expect(api.received).toHaveLength(1)
  })

  it('end with an error where a list repeats its cursor', async () => {
    const client = await serve(() => ({ body: { data: rows(0, 1), next_cursor: 'same' } }))
    const read = async () => {
      for await (const _ of client.rows('/api/v1/accounts'));
    }
    await expect(read()).rejects.toThrow('does not proceed')
    expect(api.received).toHaveLength(2)
  })

  it('end when the signal of the caller is aborted between pages', async () => {
    const client = await serve((query) => ({
      body: { data: rows(0, 1), next_cursor: String(Number(query.get('cursor') ?? 0) + 1) },
    }))
    const leaving = new AbortController()
    const read = async () => {
      for await (const _ of client.pages('/api/v1/accounts', { signal: leaving.signal }))
        if (api.received.length === 2) leaving.abort(new Error('left'))
    }
    await expect(read()).rejects.toThrow('left')
    expect(api.received).toHaveLength(2)
  })
})

describe('the change feed', () => {
  it('is read from a place to its end', async () => {
    const client = await serve((query) => {
      const since = Number(query.get('since'))
      return { body: { data: [], next_since: String(since + 10), has_more: since < 30 } }
    })
    const places: string[] = []
    for await (const page of client.changes({ since: '10', limit: 500 })) places.push(page.next_since)
    expect(places).toEqual(['20', '30', '40'])
  })

  it('says where to begin again when it has expired', async () => {
    const client = await serve(() => problem(410, 'feed_expired', { next_since: '0' }))
    const error = await client
      .changes({ since: '10' })
      .next()
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(FeedExpiredError)
    expect(error).toMatchObject({ code: 'feed_expired', beginAt: '0' })
  })

  it('ends with an error where it repeats its place', async () => {
    const client = await serve(() => ({ body: { data: [], next_since: '10', has_more: true } }))
    const read = async () => {
      for await (const _ of client.changes({ since: '10' }));
    }
    await expect(read()).rejects.toThrow('does not proceed')
    expect(api.received).toHaveLength(1)
  })
})
