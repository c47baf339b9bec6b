// The connection test against a simulator, some of whose responses a test replaces by errors of Plaid that the simulator
// does not know.
import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { callPlaid } from '../../../../src/cli/lib/plaid-call.ts'
import { dashboardLines } from '../../../../src/cli/plaid-check/dashboard.ts'
import { type PlaidPorts, type PlaidSettings, settingsOf } from '../../../../src/cli/plaid-check/ports.ts'
import { checkPlaid } from '../../../../src/cli/plaid-check/run.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { connectStack, type TestSimulator } from '../../../support/stack.ts'

const stack = connectStack(inject('control'))
let simulator: TestSimulator
let front: Server
let frontUrl: string
let asked: { path: string; body: Record<string, unknown> }[] = []
/** Replaces the response to a call; null for the simulator's. */
let instead: (path: string, body: Record<string, unknown>) => { status: number; body: object } | null = () => null

beforeAll(async () => {
  simulator = await stack.startSimulator()
  front = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void (async () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const { url: path = '/', method = 'GET', headers } = request
        const body = JSON.parse(text) as Record<string, unknown>
        asked.push({ path, body })
        const replaced = instead(path, body)
        if (replaced !== null) {
          response.writeHead(replaced.status, { 'content-type': 'application/json' })
          return void response.end(JSON.stringify(replaced.body))
        }
        const sent = Object.fromEntries(
          ['content-type', 'plaid-client-id', 'plaid-secret', 'plaid-version'].map((name) => [
            name,
            String(headers[name]),
          ]),
        )
        const answered = await fetch(`${simulator.url}${path}`, { method, headers: sent, body: text })
        response.writeHead(answered.status, { 'content-type': 'application/json' })
        return void response.end(await answered.text())
      })()
    })
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  frontUrl = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise<void>((resolve) => void front.close(() => resolve()))
  await stack.stopSimulator(simulator.id)
})
afterEach(() => {
  asked = []
  instead = () => null
})

const refusal = (code: string, message = 'a message of Plaid', status = 400, type = 'INVALID_REQUEST') => ({
  status,
  body: { error_type: type, error_code: code, error_message: message },
})

function settings(changed: Partial<PlaidSettings> = {}): PlaidSettings {
  return {
    ...settingsOf(
      {
        PLAID_ENV: 'sandbox',
        PLAID_CLIENT_ID: simulator.clientId,
        PLAID_SECRET: simulator.secret,
        PLAID_PRODUCTS: 'transactions,investments,liabilities',
        PLAID_REQUIRED_IF_SUPPORTED_PRODUCTS: 'investments',
        PLAID_ANDROID_PACKAGES: 'com.wealth.app',
        PLAID_COMPLETION_REDIRECT_URIS: 'https://app.wealth.test/done',
        PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook',
        PLAID_BASE_URL: frontUrl,
      },
      ['https://app.wealth.test/return'],
    ),
    ...changed,
  }
}

/** What the Worker says to an unsigned webhook. */
const refusedWebhook: PlaidPorts['ask'] = () =>
  Promise.resolve({ status: 401, headers: {}, text: '{"code":"webhook_refused"}', ms: 1 })

async function check(changed: Partial<PlaidSettings> = {}, ports: Partial<PlaidPorts> = {}) {
  const report = await checkPlaid(settings(changed), { ports: { ask: refusedWebhook, ...ports } })
  return { ...report, found: Object.fromEntries(report.results.map((result) => [result.name, result])) }
}

/** Replaces the response to link tokens with this field. */
const refusing =
  (field: string, code: string, message?: string): typeof instead =>
  (path, body) =>
    path === '/link/token/create' && JSON.stringify(body).includes(field) ? refusal(code, message) : null

describe('the connection test', () => {
  it('passes against the sandbox, and leaves no item behind', async () => {
    const report = await check()
    expect(report.results.map(({ name, status, said }) => [name, status, said])).toEqual([
      ['credentials', 'pass', 'Plaid accepts them in sandbox'],
      ['products', 'pass', 'transactions, investments, liabilities'],
      ['institutions', 'pass', expect.stringMatching(/^\d+ have transactions in US$/)],
      ['link token', 'pass', 'Plaid creates one with every product of the configuration'],
      ['redirect URIs', 'pass', 'https://app.wealth.test/return'],
      ['completion redirect URIs', 'pass', 'https://app.wealth.test/done'],
      ['Android packages', 'pass', 'com.wealth.app'],
      ['sandbox link', 'pass', 'a test item was linked, read and removed'],
      ['webhook URL', 'pass', 'the Worker responds, and refuses an unsigned webhook'],
    ])
    const removed = asked.find(({ path }) => path === '/item/remove')
    const access = { baseUrl: simulator.url, clientId: simulator.clientId, secret: simulator.secret }
    const again = await callPlaid(access, '/item/get', { access_token: removed?.body['access_token'] })
    expect(again).toMatchObject({ ok: false, error: { error_code: 'ITEM_NOT_FOUND' } })
  })

  it('fails with a wrong secret, and prints neither it nor a token', async () => {
    const secret = 'another-secret-of-the-test'
    const report = await check({ secret })
    expect(report.found['credentials']).toMatchObject({
      status: 'fail',
      said: expect.stringContaining('INVALID_API_KEYS'),
    })
    expect(JSON.stringify(report)).not.toContain(secret)
    expect(report.results.filter(({ status }) => status === 'pass').map(({ name }) => name)).toEqual(['webhook URL'])
  })

  it('says that the secret is that of the other environment', async () => {
    const callOther: PlaidPorts['callOther'] = () => Promise.resolve({ ok: true, body: {} })
    const report = await check({ secret: 'another-secret-of-the-test' }, { callOther })
    expect(report.found['credentials']?.said).toBe('PLAID_SECRET is that of production, and PLAID_ENV is sandbox')
  })

  it.each([
    ['products', 'liabilities', 'INVALID_PRODUCT', 'liabilities (INVALID_PRODUCT: '],
    ['link token', 'optional_products', 'INVALID_FIELD', 'INVALID_FIELD: '],
    [
      'redirect URIs',
      'redirect_uri":"https://app.wealth.test/return',
      'INVALID_FIELD',
      'https://app.wealth.test/return (INVALID_FIELD',
    ],
    ['completion redirect URIs', 'hosted_link', 'INVALID_FIELD', 'https://app.wealth.test/done (INVALID_FIELD'],
    ['Android packages', 'com.wealth.app', 'INVALID_FIELD', 'com.wealth.app (INVALID_FIELD'],
  ])('fails where Plaid refuses the %s', async (name, field, code, said) => {
    instead = refusing(field, code)
    const report = await check()
    expect(report.found[name]).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
    expect(report.found[name]?.remedy).toMatch(/\w/)
    expect(report.ok).toBe(false)
  })

  it('fails where no institution has the product', async () => {
    expect((await check({ countryCodes: ['ES'] })).found['institutions']).toMatchObject({ status: 'fail' })
    instead = (_path, body) => (body['options'] === undefined ? null : refusal('INVALID_FIELD'))
    expect((await check()).found['institutions']).toMatchObject({ status: 'fail' })
  })

  it.each([
    [429, 'RATE_LIMIT_EXCEEDED'],
    [500, 'INTERNAL_SERVER_ERROR'],
  ])('passes nothing of the account while Plaid responds with %i', async (status, code) => {
    instead = () => refusal(code, 'a message', status)
    const report = await check()
    const account = report.results.slice(0, 7)
    expect(account.map(({ status: found }) => found)).toEqual(Array(7).fill('warn'))
    expect(report.found['sandbox link']).toMatchObject({ status: 'fail' })
  })

  it('warns where no redirect URI is given', async () => {
    const report = await check({ redirectUris: [], completionRedirectUris: [], androidPackages: [] })
    expect(report.found['redirect URIs']).toMatchObject({ status: 'warn' })
    expect(report.found['Android packages']).toMatchObject({ status: 'pass' })
  })
})

describe('the sandbox link', () => {
  it('removes the item also where the read fails', async () => {
    instead = (path) => (path === '/item/get' ? refusal('INTERNAL_SERVER_ERROR', 'down', 500) : null)
    expect((await check()).found['sandbox link']).toMatchObject({
      status: 'fail',
      said: '/item/get: INTERNAL_SERVER_ERROR: down',
    })
    expect(asked.map(({ path }) => path)).toContain('/item/remove')
  })

  it('names the item that it could not remove, and no token', async () => {
    instead = (path) => (path === '/item/remove' ? refusal('INTERNAL_SERVER_ERROR', 'down', 500) : null)
    const { said = '' } = (await check()).found['sandbox link'] ?? {}
    expect(said).toMatch(/^the item \w+ was not removed \(INTERNAL_SERVER_ERROR: down\)$/)
    expect(said).not.toMatch(/access-sandbox/)
  })

  it('is not tried in production', async () => {
    expect((await check({ environment: 'production' })).found['sandbox link']).toMatchObject({ status: 'warn' })
    expect(asked.filter(({ path }) => path.startsWith('/sandbox/') || path.includes('exchange'))).toEqual([])
  })
})

describe('the webhook URL', () => {
  const answering =
    (status: number, text: string): PlaidPorts['ask'] =>
    () =>
      Promise.resolve({ status, headers: {}, text, ms: 1 })

  it.each([
    ['accepts an unsigned webhook', 200, '{}'],
    ['is a challenge page', 403, '<html>'],
    ['needs a login', 401, '{"code":"unauthorized"}'],
    ['is another path', 404, '{"code":"not_found"}'],
  ])('fails where it %s', async (_what, status, text) => {
    const report = await check({}, { ask: answering(status, text) })
    expect(report.found['webhook URL']).toMatchObject({
      status: 'fail',
      said: `https://api.wealth.test/api/v1/plaid/webhook gives ${status} in place of 401 webhook_refused`,
    })
  })

  it('fails where nothing responds, and where production has no https', async () => {
    const silent = await check({}, { ask: () => Promise.reject(new Error('no response')) })
    expect(silent.found['webhook URL']).toMatchObject({ status: 'fail', said: 'no response' })
    const plain = { webhookUrl: 'http://api.wealth.test/api/v1/plaid/webhook' }
    expect((await check(plain)).found['webhook URL']).toMatchObject({ status: 'warn' })
    expect((await check({ ...plain, environment: 'production' })).found['webhook URL']).toMatchObject({
      status: 'fail',
      said: 'PLAID_WEBHOOK_URL is not https',
    })
  })
})

describe('the command plaid:check', () => {
  const run = (args: readonly string[], environment: Record<string, string>) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(projectFolder, 'src', 'cli', 'plaid-check.ts'), ...args],
        { env: { PATH: process.env['PATH'], ...environment } },
        (_, out, error) => resolve({ code: child.exitCode ?? -1, out: out + error }),
      )
    })
  const deployed = ['--env', 'staging', '--secrets', '/nowhere/secrets.json']

  it('reads the shell, lists the boxes of the dashboard and exits by the result', async () => {
    const { code, out } = await run([], {
      PLAID_ENV: 'sandbox',
      PLAID_CLIENT_ID: simulator.clientId,
      PLAID_SECRET: simulator.secret,
      PLAID_BASE_URL: frontUrl,
      PLAID_WEBHOOK_URL: `${frontUrl}/webhook`,
    })
    expect(out).toContain('pass  credentials: Plaid accepts them in sandbox')
    expect(out).toMatch(/FAIL {2}webhook URL/)
    expect(out).toContain('[ ] Every redirect URI of every client')
    expect(code).toBe(1)
  })

  it('names the variable that is missing', async () => {
    expect(await run(deployed, {})).toMatchObject({
      code: 1,
      out: expect.stringContaining('PLAID_CLIENT_ID is not set'),
    })
  })

  it('sends the secret to no other host', async () => {
    const given = { PLAID_CLIENT_ID: 'x', PLAID_SECRET: 'y', PLAID_BASE_URL: 'https://plaid.evil.test' }
    expect(await run(deployed, given)).toMatchObject({
      code: 1,
      out: expect.stringContaining('may name this machine only'),
    })
  })
})

describe('the boxes of the dashboard', () => {
  it('are more in production', () => {
    expect(dashboardLines('production').join('\n')).toMatch(/data transparency[\s\S]*OAuth/)
    expect(dashboardLines('sandbox')).toHaveLength(1)
  })
})
