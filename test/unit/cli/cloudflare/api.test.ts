// What wrangler has no command for: the requests to Cloudflare's API, and how its refusals are read.
import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CloudflareApi, cloudflareApi } from '../../../../src/cli/lib/cloudflare-api.ts'

let server: Server
let api: CloudflareApi
let answer: { status: number; body: unknown }
let seen: { method: string | undefined; url: string | undefined; authorization: string | undefined; body: string }[]
const since = new Date('2026-12-01T00:00:00Z')
const until = new Date('2026-12-01T00:05:00Z')

beforeEach(async () => {
  seen = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, authorization: request.headers.authorization, body })
      response.writeHead(answer.status).end(JSON.stringify(answer.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const environment = {
    CLOUDFLARE_API_TOKEN: 'a token',
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${address.port}/client/v4`,
  }
  const made = cloudflareApi({ workerName: 'worker' }, 'account', environment)
  if (made === null) throw new Error('no API')
  api = made
})
afterEach(() => void server.close())

const counts = (...sums: { requests: number; errors: number }[]) => ({
  data: { viewer: { accounts: [{ workersInvocationsAdaptive: sums.map((sum) => ({ sum })) }] } },
  errors: null,
})

describe("Cloudflare's API", () => {
  it('is not asked without a token or an account', () => {
    expect(cloudflareApi({ workerName: 'worker' }, 'account', {})).toBeNull()
    expect(cloudflareApi({ workerName: 'worker' }, null, { CLOUDFLARE_API_TOKEN: 'a token' })).toBeNull()
  })

  it('lists the crons that fire', async () => {
    answer = {
      status: 200,
      body: { success: true, result: { schedules: [{ cron: '* * * * *' }, { cron: '19 * * * *' }] } },
    }
    expect(await api.crons()).toEqual(['* * * * *', '19 * * * *'])
    expect(seen).toMatchObject([
      {
        method: 'GET',
        url: '/client/v4/accounts/account/workers/scripts/worker/schedules',
        authorization: 'Bearer a token',
      },
    ])
  })

  it('counts the requests to one version', async () => {
    answer = { status: 200, body: counts({ requests: 90, errors: 1 }, { requests: 10, errors: 2 }) }
    expect(await api.requestsOf('version', since, until)).toEqual({ requests: 100, errors: 3 })
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({
      variables: {
        account: 'account',
        script: 'worker',
        versions: ['version'],
        since: '2026-12-01T00:00:00.000Z',
        until: '2026-12-01T00:05:00.000Z',
      },
    })
  })

  it('counts none where nothing was measured yet', async () => {
    answer = { status: 200, body: counts() }
    expect(await api.requestsOf('version', since, until)).toEqual({ requests: 0, errors: 0 })
  })

  it.each([
    ['a query that is refused with 200', 200, { data: null, errors: [{ message: 'unknown field' }] }, 'unknown field'],
    ['an account that the token does not reach', 200, { data: { viewer: { accounts: [] } } }, 'no account'],
    ['a token without the permission', 403, {}, 'refuses the token'],
    ['an outage', 502, {}, 'returns 502'],
  ])('is an error, never zero requests, for %s', async (_, status, body, message) => {
    answer = { status, body }
    await expect(api.requestsOf('version', since, until)).rejects.toThrow(message)
  })
})
