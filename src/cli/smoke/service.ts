// Smoke tests of the service: that it runs, that it refuses what it must, and with a token that it reads.
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { jsonOf } from '../lib/ask.ts'
import { type Check, fail, pass, type Verdict, warn } from '../lib/checks.ts'
import { describeAnswer, problemCode, type SmokePorts } from './target.ts'

/** The mean response time that the service must keep. */
const slowMs = 2000
const foreignOrigin = 'https://foreign-origin.invalid'
const readLog = 'Read the log: `npx wrangler tail --env ENV` says why.'
const webhookPath = '/api/v1/plaid/webhook'
const privatePath = '/api/v1/plaid/items'

const readySchema = z.object({ status: z.literal('ready'), frozen: z.boolean(), version: z.string().nullish() })

const health: Check<SmokePorts> = {
  name: 'health',
  async check({ send }) {
    const answer = await send('/health')
    if (answer.status !== 200) return fail(`/health returns ${describeAnswer(answer)}`, readLog)
    if (answer.ms > slowMs) return warn(`200, but after ${answer.ms} ms`, 'Ask again; then look at the metrics.')
    return pass(`200 after ${answer.ms} ms`)
  },
}

const versionReads = 4
const versionPauseMs = 1000

/** What `/ready` returns. Asks again while another version responds, as some seconds after a deployment. */
async function askReady({ send, version }: SmokePorts, reads: number) {
  for (let read = 1; ; read += 1) {
    const answer = await send('/ready')
    const { data } = readySchema.safeParse(jsonOf(answer))
    const isExpected = version === undefined || data?.version === version
    if (isExpected || answer.status !== 200 || read === reads) return { answer, data, isExpected }
    await delay(versionPauseMs)
  }
}

const otherVersion = (expected: string | undefined, found: string | null | undefined): Verdict =>
  fail(
    `${found ?? 'a version that it does not name'} responds, and not ${expected}`,
    'Look which version is deployed: `npx wrangler deployments status --env ENV`.',
  )

const ready: Check<SmokePorts> = {
  name: 'ready',
  async check(ports) {
    const { answer, data, isExpected } = await askReady(ports, versionReads)
    if (answer.status !== 200 || data === undefined) return fail(`/ready returns ${describeAnswer(answer)}`, readLog)
    if (!isExpected) return otherVersion(ports.version, data.version)
    if (data.frozen)
      return warn(
        'ready, and frozen: no change is accepted',
        'End the freeze when the incident has ended: `npm run freeze`.',
      )
    return pass(`databases and keys are in order, after ${answer.ms} ms`)
  },
}

/** Header → what its value must match. */
const wantedHeaders: Readonly<Record<string, RegExp>> = {
  'x-content-type-options': /^nosniff$/i,
  'x-frame-options': /^deny$/i,
  'x-xss-protection': /^1; mode=block$/i,
  'content-security-policy': /default-src 'none'/,
  'referrer-policy': /^no-referrer$/,
  'permissions-policy': /camera=\(\)/,
  'cross-origin-opener-policy': /^same-origin$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'cache-control': /no-store/,
  'x-request-id': /^[0-9a-f-]{36}$/,
}

const strictTransport = /max-age=(\d+)/
const yearSeconds = 31_536_000

const headers: Check<SmokePorts> = {
  name: 'security headers',
  async check({ send, at }) {
    const answers = [await send('/health'), await send(privatePath)]
    const wrong = answers.flatMap((answer) => [
      ...Object.entries(wantedHeaders).flatMap(([name, wanted]) =>
        wanted.test(answer.headers[name] ?? '') ? [] : [name],
      ),
      ...(at.protocol === 'https:' &&
      Number(strictTransport.exec(answer.headers['strict-transport-security'] ?? '')?.[1] ?? 0) < yearSeconds
        ? ['strict-transport-security']
        : []),
    ])
    if (wrong.length === 0) return pass('on a success and on a refusal')
    return fail(
      `missing or different: ${[...new Set(wrong)].join(', ')}`,
      'Look for a rule of the zone that changes response headers (Rules → Transform Rules).',
    )
  },
}

/** Expects a refusal with this status and problem code. */
function refused(what: string, answer: Awaited<ReturnType<SmokePorts['send']>>, code: string): Verdict | null {
  if (answer.status === 401 && problemCode(answer) === code && answer.headers['www-authenticate'] !== undefined)
    return null
  const remedy =
    answer.status === 429
      ? 'This address sent too many requests: wait a minute and run it again.'
      : 'Do not send users here. Roll back: `npm run rollback`.'
  return fail(`${what} gets ${describeAnswer(answer)} in place of 401 ${code}`, remedy)
}

/** A token that names no algorithm and an administrator. */
const forged = [
  { alg: 'none', typ: 'JWT' },
  { sub: 'smoke', role: 'admin', exp: 4_102_444_800 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')

const refusedAuth: Check<SmokePorts> = {
  name: 'refused authentication',
  async check({ send }) {
    const asked: readonly (readonly [string, string, Record<string, string>])[] = [
      ['a request without a token', privatePath, {}],
      ['a forged token', privatePath, { authorization: `Bearer ${forged}.` }],
      ['a forged administrator', '/api/v1/admin/items', { authorization: `Bearer ${forged}.` }],
    ]
    for (const [what, path, sent] of asked) {
      const wrong = refused(what, await send(path, { headers: sent }), 'unauthorized')
      if (wrong !== null) return wrong
    }
    return pass('no token and a forged one get 401')
  },
}

const refusedWebhook: Check<SmokePorts> = {
  name: 'refused webhook',
  async check({ send }) {
    const body = JSON.stringify({ webhook_type: 'ITEM', webhook_code: 'ERROR', item_id: 'smoke' })
    const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    return (
      refused('an unsigned webhook', await send(webhookPath, asked), 'webhook_refused') ??
      pass('an unsigned one gets 401')
    )
  },
}

const foreignCors: Check<SmokePorts> = {
  name: 'CORS of a foreign origin',
  async check({ send }) {
    const origin = { origin: foreignOrigin }
    const preflight = { ...origin, 'access-control-request-method': 'GET' }
    const answers = [
      await send('/health', { headers: origin }),
      await send(privatePath, { method: 'OPTIONS', headers: preflight }),
    ]
    const allowed = answers
      .map((answer) => answer.headers['access-control-allow-origin'])
      .find((one) => one !== undefined)
    if (allowed === undefined) return pass('gets no access')
    return fail(
      `a page of ${foreignOrigin} may read (${allowed})`,
      'Set CORS_ORIGINS to your own pages, and look for a rule of the zone that adds the header.',
    )
  },
}

const listSchema = z.object({ data: z.array(z.unknown()) })

/** The lists that every user has. One that fails for every user is found before users get the version. */
export const readPaths = [
  privatePath,
  '/api/v1/plaid/sync/runs',
  '/api/v1/accounts',
  '/api/v1/transactions',
  '/api/v1/transactions/changes',
  '/api/v1/changes',
  '/api/v1/transactions/recurring',
  '/api/v1/holdings',
  '/api/v1/investments/transactions',
  '/api/v1/liabilities',
  '/api/v1/audit',
]

const read: Check<SmokePorts> = {
  name: 'reads with a token',
  async check({ send, token, at, isLocal }) {
    if (token === undefined) return warn('not checked: there is no token', 'Give it an access token: --token.')
    if (at.protocol !== 'https:' && !isLocal)
      return fail('the token was not sent over plain http', 'Give --url the https URL of the deployment.')
    let slowest = { path: '', ms: -1 }
    for (const path of readPaths) {
      const answer = await send(`${path}?limit=1`, { headers: { authorization: `Bearer ${token}` } })
      if (answer.status !== 200) return fail(`${path} returns ${describeAnswer(answer)}`, readLog)
      if (!listSchema.safeParse(jsonOf(answer)).success) return fail(`${path} returns 200 and no list`, readLog)
      if (answer.ms > slowest.ms) slowest = { path, ms: answer.ms }
    }
    const took = `${readPaths.length} lists, the slowest after ${slowest.ms} ms`
    if (slowest.ms > slowMs) return warn(`${took} (${slowest.path})`, 'Look at the database and at the placement.')
    return pass(took)
  },
}

/** The last check: what another version responded in the meantime says nothing about the expected one. */
export const sameVersion: Check<SmokePorts> = {
  name: 'the same version',
  async check(ports) {
    const { data, isExpected } = await askReady(ports, 1)
    return isExpected ? pass(`${ports.version} still responds`) : otherVersion(ports.version, data?.version)
  },
}

export const serviceChecks: readonly Check<SmokePorts>[] = [
  health,
  ready,
  headers,
  refusedAuth,
  refusedWebhook,
  foreignCors,
  read,
]
