// Fetching objects of Cloudflare's bucket: the request that wrangler sends for an object, and what is refused.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudflareBucket } from '../../../src/cli/backup/bucket-source.ts'

const content = 'encrypted '.repeat(100_000)
let folder: string
let server: Server
let environment: NodeJS.ProcessEnv
const seen: Pick<IncomingMessage, 'url' | 'headers'>[] = []

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
    const status =
      request.url?.endsWith('/missing') === true ? 404 : request.url?.endsWith('/closed') === true ? 403 : 200
    response.writeHead(status).end(status === 200 ? content : '{"success":false}')
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
    ['closed', 'Cloudflare answered 403 for closed'],
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

  it('overwrites no file', async () => {
    const file = join(folder, 'mine')
    await writeFile(file, 'mine')
    await expect(cloudflareBucket('wn-backups', environment).get('object', file)).rejects.toThrow('EEXIST')
    expect(await readFile(file, 'utf8')).toBe('mine')
  })
})

it.each([
  ['a bucket', undefined, {}, '--bucket'],
  ['an account', 'wn-backups', { CLOUDFLARE_ACCOUNT_ID: '' }, 'CLOUDFLARE_ACCOUNT_ID'],
  ['a token', 'wn-backups', { CLOUDFLARE_API_TOKEN: '' }, 'CLOUDFLARE_API_TOKEN'],
])('the command is misused without %s', (_, name, changed, message) => {
  expect(() => cloudflareBucket(name, { ...environment, ...changed })).toThrow(message)
})
