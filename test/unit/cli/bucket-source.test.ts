// Fetching objects of Cloudflare's bucket: the request that wrangler sends for an object, and what is refused.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudflareBucket } from '../../../src/cli/backup/bucket-source.ts'
import { forEach } from '../../../src/cli/backup/for-each.ts'
import { whenNotLimited } from '../../../src/cli/lib/when-limited.ts'

const content = 'encrypted '.repeat(100_000)
let folder: string
let server: Server
let environment: NodeJS.ProcessEnv
const seen: Pick<IncomingMessage, 'url' | 'headers'>[] = []

const statuses: Readonly<Record<string, number>> = { missing: 404, closed: 403, broken: 500, limited: 429 }

/** Requests for `busy` objects that are answered before the limit, and those that are refused then. */
const limit = { left: 0, refusals: 0 }

function statusOf(url: string): number {
  if (!url.includes('/busy')) return statuses[url.split('/').at(-1) ?? ''] ?? 200
  if (limit.left === 0 && limit.refusals > 0) {
    limit.refusals -= 1
    return 429
  }
  limit.left = Math.max(limit.left - 1, 0)
  return 200
}

/** A list in pages of two objects. The last one has an empty cursor. */
function pageOf(url: string): string {
  const { searchParams: query } = new URL(url, 'http://localhost')
  const keys = ['erasures/1', 'erasures/2', 'erasures/3', 'other/4'].filter((key) =>
    key.startsWith(query.get('prefix') ?? ''),
  )
  const from = Number(query.get('cursor') ?? 0)
  const cursor = from + 2 < keys.length ? String(from + 2) : ''
  const result = keys.slice(from, from + 2).map((key) => ({ key, size: 1 }))
  return JSON.stringify({ success: true, errors: [], messages: [], result, result_info: { cursor, per_page: 2 } })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
  server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers })
    if (request.url?.includes('/objects?') === true) return void response.end(pageOf(request.url))
    const status = statusOf(request.url ?? '')
    response
      .writeHead(status, status === 429 ? { 'retry-after': '0' } : {})
      .end(status === 200 ? content : '{"success":false}')
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  environment = {
    CLOUDFLARE_ACCOUNT_ID: 'account',
    CLOUDFLARE_API_TOKEN: 'a token',
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${address.port}/client/v4`,
  }
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

describe('an object of Cloudflare’s bucket', () => {
  it('is requested with the token, and stored for its owner alone', async () => {
    const file = join(folder, 'file')
    await cloudflareBucket('wn-backups', environment).get(
      'backups/20260302T021100Z-00000001/public.items.jsonl.gz.age',
      file,
    )
    expect(seen).toMatchObject([
      {
        url: '/client/v4/accounts/account/r2/buckets/wn-backups/objects/backups/20260302T021100Z-00000001/public.items.jsonl.gz.age',
        headers: { authorization: 'Bearer a token' },
      },
    ])
    expect(await readFile(file, 'utf8')).toBe(content)
    expect((await stat(file)).mode & 0o077).toBe(0)
  })

  it.each([
    ['missing', 'The bucket has no object missing.'],
    ['closed', 'Cloudflare answered 403 for closed: may the token read this bucket?'],
    ['broken', 'Cloudflare answered 500 for broken.'],
    ['limited', 'Cloudflare answered 429 for limited: too many requests.'],
  ])('is an error that says so when it is %s', async (key, message) => {
    await expect(cloudflareBucket('wn-backups', environment).get(key, join(folder, key))).rejects.toThrow(message)
  })

  it('is listed with every page of its prefix, and read as text', async () => {
    const bucket = cloudflareBucket('wn-backups', environment)
    expect(await bucket.list('erasures/')).toEqual(['erasures/1', 'erasures/2', 'erasures/3'])
    expect(await bucket.list('none/')).toEqual([])
    expect(await bucket.text('erasures/1')).toBe(content)
    await expect(bucket.text('erasures/missing')).rejects.toThrow('has no object erasures/missing')
  })

  it('is read after a pause where the limit of requests is reached', async () => {
    Object.assign(limit, { left: 10, refusals: 5 })
    const bucket = cloudflareBucket('wn-backups', environment)
    const keys = Array.from({ length: 20 }, (_, index) => `busy/${index}`)
    const read: string[] = []
    await forEach(keys, async (key) => {
      if ((await bucket.text(key)) === content) read.push(key)
    })
    expect(read.toSorted()).toEqual(keys.toSorted())
    expect(limit).toEqual({ left: 0, refusals: 0 })
  })

  it('is asked for six times where the limit does not end', async () => {
    seen.length = 0
    await expect(cloudflareBucket('wn-backups', environment).text('limited')).rejects.toThrow('answered 429')
    expect(seen).toHaveLength(6)
  })

  it('overwrites no file', async () => {
    const file = join(folder, 'mine')
    await writeFile(file, 'mine')
    await expect(cloudflareBucket('wn-backups', environment).get('object', file)).rejects.toThrow('EEXIST')
    expect(await readFile(file, 'utf8')).toBe('mine')
  })
})

it.each<[string, Record<string, string>, number]>([
  ['as the limiter asks', { 'retry-after': '7' }, 7],
  ['for five minutes at most', { 'retry-after': '86400' }, 300],
  ['for five seconds without a number of seconds', { 'retry-after': 'Mon, 30 Nov 2026 12:00:00 GMT' }, 5],
  ['for five seconds where no time is given', {}, 5],
])('a refused request waits %s', async (_, headers, seconds) => {
  const waited: number[] = []
  const refused = () => Promise.resolve(new Response('', { status: 429, headers }))
  const response = await whenNotLimited(2, refused, (each) => {
    waited.push(each)
    return Promise.resolve()
  })
  expect([response.status, waited]).toEqual([429, [seconds, seconds]])
})

it.each([
  ['a bucket', undefined, {}, '--bucket'],
  ['an account', 'wn-backups', { CLOUDFLARE_ACCOUNT_ID: '' }, 'CLOUDFLARE_ACCOUNT_ID'],
  ['a token', 'wn-backups', { CLOUDFLARE_API_TOKEN: '' }, 'CLOUDFLARE_API_TOKEN'],
])('the command is misused without %s', (_, name, changed, message) => {
  expect(() => cloudflareBucket(name, { ...environment, ...changed })).toThrow(message)
})
