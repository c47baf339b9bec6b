// Configuration, secrets, queues and bucket at Cloudflare, and the credentials of Plaid.
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type * as z from 'zod'
import { secretNames, workerValues } from '../../../../src/cli/lib/deployment-values.ts'
import type { PreflightPorts } from '../../../../src/cli/preflight/ports.ts'
import { settingChecks } from '../../../../src/cli/preflight/settings.ts'
import { environmentSchema } from '../../../../src/config/variables.ts'
import { connectStack, type TestSimulator } from '../../../support/stack.ts'
import { json, plaidError, startAnswering, type Answering } from '../../plaid/answering.ts'
import { key } from '../../config/variables.ts'
import { config, portsWith, resultOf, secrets } from './ports.ts'

const check = (name: string, changed?: Partial<PreflightPorts>) => resultOf(settingChecks, name, changed)
const withVariables = (variables: Record<string, string>): Partial<PreflightPorts> => ({
  config: { ...config, variables: { ...config.variables, ...variables } },
})
const withCloudflare = (changed: Partial<PreflightPorts['cloudflare']>): Partial<PreflightPorts> => ({
  cloudflare: { ...portsWith().cloudflare, ...changed },
})
const without = (...names: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).filter(([name]) => !names.includes(name)))
const unreachable = () => Promise.reject(new Error('Cloudflare does not respond.'))

const provider = {
  AUTH_MODE: 'oidc',
  AUTH_ISSUER: 'https://issuer.test',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'https://issuer.test/jwks',
  AUTH_WRITE_SCOPE: 'write',
  AUTH_EMAIL_URL: '',
  AUTH_EMAIL_FROM: '',
  AUTH_PUBLIC_URL: '',
}

describe('the configuration', () => {
  it('passes where the Worker would accept it', async () => {
    expect(await check('configuration')).toMatchObject({ status: 'pass' })
  })

  it.each<[string, Partial<PreflightPorts>, string]>([
    [
      'the placeholder of wrangler.toml',
      withVariables({ PLAID_WEBHOOK_URL: 'https://api.example.com/api/v1/plaid/webhook' }),
      'PLAID_WEBHOOK_URL is an example value',
    ],
    [
      'the demo user of a laptop',
      withVariables({ CONSOLE_DEMO_USER: 'demo' }),
      'CONSOLE_DEMO_USER is for local use only',
    ],
    ['a missing variable', withVariables({ CORS_ORIGINS: '' }), 'CORS_ORIGINS is missing'],
    [
      'a secret that exists nowhere',
      { ...withCloudflare({ secretNames: () => Promise.resolve([]) }), secrets: without('AUDIT_KEY') },
      'AUDIT_KEY is missing',
    ],
    [
      'a secret of which Cloudflare says nothing',
      { ...withCloudflare({ secretNames: unreachable }), secrets: without('AUDIT_KEY') },
      'AUDIT_KEY is missing; the secrets at Cloudflare are not known: Cloudflare does not respond.',
    ],
    [
      'an example secret',
      { secrets: { ...secrets, SECRET_KEY: 'fake-secret-'.repeat(4) } },
      'SECRET_KEY is an example value',
    ],
    ['another environment', withVariables({ ENVIRONMENT: 'development' }), 'ENVIRONMENT is not staging'],
    [
      'webhooks at another host than the route',
      withVariables({ PLAID_WEBHOOK_URL: 'https://old.wealth.test/api/v1/plaid/webhook' }),
      'PLAID_WEBHOOK_URL is not at https://api.wealth.test',
    ],
  ])('fails with %s', async (_what, changed, said) => {
    const result = await check('configuration', changed)
    expect(result).toMatchObject({ status: 'fail', said: expect.stringContaining(said), remedy: expect.any(String) })
    expect(result.said).not.toContain('fake-secret-')
  })

  it('warns with the reason, and never passes, where Cloudflare does not say which secrets it has', async () => {
    expect(await check('configuration', withCloudflare({ secretNames: unreachable }))).toMatchObject({
      status: 'warn',
      said: 'what is known here is accepted; the secrets at Cloudflare are not known: Cloudflare does not respond.',
      remedy: expect.any(String),
    })
  })

  it('warns, and never passes, where a value is at Cloudflare alone', async () => {
    expect(await check('configuration', { secrets: without('AUDIT_KEY', 'DATABASE_URL') })).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('DATABASE_URL, AUDIT_KEY are at Cloudflare and were not seen'),
    })
  })
})

describe('a correct deployment whose secrets are all at Cloudflare', () => {
  const builtin = secretNames.filter((name) => name !== 'CONSOLE_OIDC_CLIENT_SECRET')
  const oidc = secretNames.filter((name) => !name.startsWith('AUTH_EMAIL_KEY'))
  const slack = builtin.filter((name) => !name.startsWith('ALERT_WEBHOOK_SECRET'))
  const variables = Object.fromEntries(Object.entries(config.variables).filter(([name]) => !secretNames.includes(name)))
  const checked = (names: readonly string[], more: Record<string, string> = {}, known: Record<string, string> = {}) =>
    check('configuration', {
      config: { ...config, variables: { ...variables, ...more } },
      secrets: known,
      ...withCloudflare({ secretNames: () => Promise.resolve([...names]) }),
    })

  it.each<[string, readonly string[], Record<string, string>]>([
    ['built-in accounts', builtin, {}],
    ['an identity provider', oidc, { ...provider, CONSOLE_OIDC_CLIENT_ID: 'console' }],
    ['alarms to Slack', slack, { ALERT_WEBHOOK_FORMAT: 'slack' }],
  ])('is accepted with %s', async (_what, names, more) => {
    expect(await checked(names, more)).toMatchObject({
      status: 'warn',
      said: `the variables are accepted; the values of ${names.join(', ')} are at Cloudflare and were not seen`,
    })
  })

  it('has a stand-in of the right form for each secret', () => {
    const { values } = workerValues({ ...config, variables: {} }, {}, secretNames)
    const shape: Readonly<Record<string, z.ZodType>> = environmentSchema.shape
    const refused = secretNames.filter(
      (name) => values[name] === undefined || shape[name]?.safeParse(values[name]).success !== true,
    )
    expect(refused).toEqual([])
  })

  it('is accepted where the secret of alarms is known and the address is not', async () => {
    const known = { ALERT_WEBHOOK_SECRET: `whsec_${key('alarms')}` }
    expect(await checked(builtin, {}, known)).toMatchObject({ status: 'warn' })
  })
})

describe('the secrets at Cloudflare', () => {
  it('pass where all are there', async () => {
    expect(await check('secrets at Cloudflare')).toMatchObject({ status: 'pass', said: 'all 10 are there' })
  })

  it.each<[string, PreflightPorts['cloudflare']['secretNames'], string]>([
    ['one is missing', () => Promise.resolve(Object.keys(without('AUDIT_KEY'))), 'missing: AUDIT_KEY'],
    [
      'one of the file is missing',
      () => Promise.resolve(Object.keys(without('AUTH_EMAIL_KEY'))),
      'missing: AUTH_EMAIL_KEY',
    ],
    ['there is no Worker', () => Promise.resolve(null), 'there is no Worker'],
    ['Cloudflare does not respond', unreachable, 'Cloudflare does not respond.'],
  ])('fail where %s', async (_what, names, said) => {
    expect(await check('secrets at Cloudflare', withCloudflare({ secretNames: names }))).toMatchObject({
      status: 'fail',
      said: expect.stringContaining(said),
    })
  })
})

describe('queues and bucket', () => {
  it('pass where they exist', async () => {
    expect(await check('queues and bucket')).toMatchObject({ status: 'pass', said: '3 queues and 1 bucket exist' })
  })

  it('warn without a bucket, which has who was erased', async () => {
    expect(await check('queues and bucket', { config: { ...config, buckets: [] } })).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('only the database knows who was erased'),
    })
  })

  it.each<[string, Partial<PreflightPorts['cloudflare']>, string]>([
    [
      'a queue is missing',
      { hasQueue: (name) => Promise.resolve(!name.endsWith('-dead')) },
      'queue wealthnavigator-staging-sync-dead',
    ],
    [
      'the bucket is missing',
      { bucketNames: () => Promise.resolve(['another']) },
      'bucket wealthnavigator-staging-backups',
    ],
    ['Cloudflare does not respond', { hasQueue: unreachable }, 'Cloudflare does not respond.'],
  ])('fail where %s', async (_what, changed, said) => {
    expect(await check('queues and bucket', withCloudflare(changed))).toMatchObject({
      status: 'fail',
      said: expect.stringContaining(said),
    })
  })
})

describe('the credentials of Plaid', () => {
  const stack = connectStack(inject('control'))
  let simulator: TestSimulator
  let server: Answering
  beforeAll(async () => {
    simulator = await stack.startSimulator()
    server = await startAnswering()
  })
  afterAll(async () => {
    await stack.stopSimulator(simulator.id)
    await server.stop()
  })
  const plaid = (secret: string | undefined, url = simulator.url) =>
    check('Plaid credentials', {
      secrets: secret === undefined ? without('PLAID_SECRET') : { ...secrets, PLAID_SECRET: secret },
      shell: { PLAID_BASE_URL: url },
    })

  it('pass where Plaid accepts them', async () => {
    expect(await plaid(simulator.secret)).toMatchObject({ status: 'pass', said: 'accepted in sandbox' })
  })

  it('fail where Plaid refuses them', async () => {
    expect(await plaid('another-secret-of-plaid')).toMatchObject({
      status: 'fail',
      said: expect.stringContaining('INVALID_API_KEYS'),
    })
  })

  it.each([
    ['limits the call', 429, 'RATE_LIMIT_EXCEEDED', 'INSTITUTIONS_GET_LIMIT'],
    ['is down', 500, 'API_ERROR', 'INTERNAL_SERVER_ERROR'],
  ])('are unknown where Plaid %s', async (_what, status, type, code) => {
    server.answer(plaidError(status, type, code))
    expect(await plaid(simulator.secret, server.url)).toMatchObject({
      status: 'warn',
      said: expect.stringContaining(`unknown: ${code}`),
    })
  })

  it('are unknown without the secret', async () => {
    expect(await plaid(undefined)).toMatchObject({ status: 'warn', said: expect.stringContaining('not checked') })
  })

  it('are sent to no other host, and fail where Plaid cannot be reached', async () => {
    expect(await plaid(simulator.secret, 'https://plaid.evil.test')).toMatchObject({
      status: 'fail',
      said: 'PLAID_BASE_URL may name this machine only: the secret is sent there.',
    })
    expect(await plaid(simulator.secret, 'http://127.0.0.1:9')).toMatchObject({ status: 'fail' })
  })

  it('fail where a proxy responds in place of Plaid', async () => {
    server.answer(json('<html>', 403))
    expect(await plaid(simulator.secret, server.url)).toMatchObject({ status: 'fail' })
  })
})

describe('the token of the smoke test', () => {
  const now = () => new Date('2026-03-02T09:30:00Z')
  const expires = async (time: string) =>
    await new SignJWT({ exp: Date.parse(time) / 1000 })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(key('signs')))
  const token = async (value?: string) =>
    await check('token of the smoke test', { now, shell: value === undefined ? {} : { SMOKE_TOKEN: value } })

  it.each([
    ['passes an hour before its end', '2026-03-02T10:30:00Z', 'pass', 'valid until 2026-03-02T10:30:00.000Z'],
    ['fails within an hour of its end', '2026-03-02T10:29:59Z', 'fail', 'perhaps before the deployment ends'],
    ['fails after its end', '2026-03-02T09:30:00Z', 'fail', 'SMOKE_TOKEN expired at 2026-03-02T09:30:00.000Z'],
  ])('%s', async (_what, time, status, said) => {
    expect(await token(await expires(time))).toMatchObject({ status, said: expect.stringContaining(said) })
  })

  it('is unknown where it is no JWT, or names no end', async () => {
    const endless = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(key('signs')))
    for (const value of ['opaque', endless])
      expect(await token(value)).toMatchObject({ status: 'warn', said: expect.stringContaining('does not say when') })
    expect(await token()).toMatchObject({ status: 'warn', said: expect.stringContaining('there is no SMOKE_TOKEN') })
  })
})

describe('the sign-in to the console', () => {
  const withProvider = (variables: Record<string, string>) => ({
    ...withVariables({ ...provider, ...variables }),
    ...withCloudflare({ secretNames: () => Promise.resolve(Object.keys(without('AUTH_EMAIL_KEY'))) }),
    secrets: without('AUTH_EMAIL_KEY'),
  })

  it.each([
    [{ CONSOLE: 'off' }, 'pass', 'there is no console'],
    [{}, 'warn', 'CONSOLE_OIDC_CLIENT_ID is missing'],
    [{}, 'warn', 'the redirect URI https://api.wealth.test/console/callback'],
    [{ CONSOLE_OIDC_CLIENT_ID: 'console' }, 'pass', 'https://api.wealth.test/console/callback'],
    [{ CORS_ORIGINS: '' }, 'warn', 'unknown'],
  ])('is checked with an identity provider and %j is a %s that says %s', async (variables, status, said) => {
    const found = await check('sign-in to the console', withProvider(variables))
    expect(found.status).toBe(status)
    expect(JSON.stringify(found)).toContain(said)
  })
})
