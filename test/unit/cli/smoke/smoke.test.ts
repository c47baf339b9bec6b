// The smoke test against the Worker's own HTTP app behind real TLS: each check passes there, and fails or warns against a
// deployment with one fault.
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { runSmoke, type SmokeTarget } from '../../../../src/cli/smoke/run.ts'
import { readPaths } from '../../../../src/cli/smoke/service.ts'
import { readDescription } from '../../../support/documented.ts'
import { tokenFor } from '../../http/serve-app.ts'
import {
  bare,
  type Change,
  type Deployment,
  type DeploymentChoices,
  readyAnswer,
  startDeployment,
} from './deployment.ts'

const started: Deployment[] = []

afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

async function start(choices: DeploymentChoices = {}): Promise<Deployment> {
  const deployment = await startDeployment(choices)
  started.push(deployment)
  return deployment
}

/** The status and the sentence of each check. */
async function smoke(deployment: Deployment, more: Partial<SmokeTarget> = {}) {
  const { url, plainUrl, ca } = deployment
  const report = await runSmoke({ url, plainUrl, ca, token: await tokenFor('alice'), ...more })
  const found = Object.fromEntries(report.results.map((result) => [result.name, result]))
  return { ...report, found }
}

/** A response in place of those of a path. */
const answering =
  (path: string, make: () => Response): Change =>
  (asked, _method, response) =>
    asked.split('?')[0] === path ? make() : response

/** The responses without a header, or with another value of it. */
const withHeader =
  (name: string, value: string | null): Change =>
  (_path, _method, response) => {
    const headers = new Headers(response.headers)
    if (value === null) headers.delete(name)
    else headers.set(name, value)
    headers.set(bare, 'yes')
    return new Response(response.body, { status: response.status, headers })
  }

describe('the version that a smoke test expects', () => {
  const named = (...versions: (string | undefined)[]): Change => {
    let asked = 0
    return answering('/ready', () => {
      const version = versions[Math.min(asked, versions.length - 1)]
      asked += 1
      return Response.json({ status: 'ready', frozen: false, version }, { headers: { 'cache-control': 'no-store' } })
    })
  }

  it('is compared at /ready and after the last check', async () => {
    const report = await smoke(await start({ change: named('new') }), { version: 'new' })
    expect(report.ok).toBe(true)
    expect(report.results.at(-1)).toMatchObject({ name: 'the same version', status: 'pass' })
  })

  it('is awaited while the one from before still responds', async () => {
    const report = await smoke(await start({ change: named('old', 'new') }), { version: 'new' })
    expect(report.ok).toBe(true)
  })

  it.each(['old', undefined])(
    'fails where another one (%s) responds',
    async (version) => {
      const report = await smoke(await start({ change: named(version) }), { version: 'new' })
      expect(report.ok).toBe(false)
      expect(report.found['ready']).toMatchObject({ status: 'fail', said: expect.stringContaining('and not new') })
    },
    20_000,
  )

  it('fails where another one responds at the end', async () => {
    const report = await smoke(await start({ change: named('new', 'old') }), { version: 'new' })
    expect(report.found['ready']).toMatchObject({ status: 'pass' })
    expect(report.found['the same version']).toMatchObject({ status: 'fail', said: 'old responds, and not new' })
  })
})

describe('a smoke test', () => {
  it('passes against a deployment', async () => {
    const report = await smoke(await start())
    expect(report.results.map(({ name, status, said }) => [name, status, said])).toEqual([
      ['certificate', 'pass', expect.stringMatching(/^valid for (?:89|90) more days$/)],
      ['TLS version', 'pass', 'TLSv1.3'],
      ['old TLS is refused', 'pass', 'TLS 1.1 is refused'],
      ['plain http', 'pass', 'redirected (308)'],
      ['a token over plain http', 'pass', 'refused (403 https_required)'],
      ['health', 'pass', expect.stringMatching(/^200 after \d+ ms$/)],
      ['ready', 'pass', expect.stringMatching(/^databases and keys are in order/)],
      ['security headers', 'pass', 'on a success and on a refusal'],
      ['refused authentication', 'pass', 'no token and a forged one get 401'],
      ['refused webhook', 'pass', 'an unsigned one gets 401'],
      ['CORS of a foreign origin', 'pass', 'gets no access'],
      ['reads with a token', 'pass', expect.stringMatching(/^11 lists, the slowest after \d+ ms$/)],
    ])
    expect(report.ok).toBe(true)
  })

  it('sends its headers with every request, and the token with the reads alone', async () => {
    const deployment = await start()
    const token = await tokenFor('alice')
    await smoke(deployment, { token, headers: { 'cloudflare-workers-version-overrides': 'w="1"' } })
    expect(deployment.asked.map(({ headers }) => headers['cloudflare-workers-version-overrides'])).toEqual(
      deployment.asked.map(() => 'w="1"'),
    )
    const withToken = deployment.asked.filter(({ headers }) => headers.authorization === `Bearer ${token}`)
    expect(withToken.map(({ line, isPlain }) => [line, isPlain])).toEqual(
      readPaths.map((path) => [`GET ${path}?limit=1`, false]),
    )
  })

  it('fails each check that needs a response when nothing listens', async () => {
    const deployment = await start()
    const { url } = deployment
    await started.splice(0)[0]?.stop()
    const report = await smoke(deployment)
    const passed = report.results.filter(({ status }) => status === 'pass').map(({ name }) => name)
    expect(passed).toEqual(['plain http', 'a token over plain http'])
    expect(report.found['health']?.said).toContain(`${url}/health: `)
    expect(report.ok).toBe(false)
  })

  it('keeps the token out of what it says', async () => {
    const token = await tokenFor('alice')
    const change = answering('/health', () => Response.json({ code: token }, { status: 500 }))
    const seen = await smoke(await start({ change }), { token })
    expect(seen.found['health']?.said).toBe('/health returns 500 [redacted]')
    expect(JSON.stringify(seen.results)).not.toContain(token)
  })
})

describe('the smoke test of the transport', () => {
  it('fails where the certificate is not trusted', async () => {
    const report = await smoke(await start(), { ca: undefined })
    expect(report.found['certificate']).toMatchObject({ status: 'fail', said: expect.stringContaining('self-signed') })
  })

  it('warns where the certificate ends soon', async () => {
    const report = await smoke(await start({ certificateDays: 5 }))
    expect(report.found['certificate']).toMatchObject({
      status: 'warn',
      said: expect.stringMatching(/only for [45] more/),
    })
  })

  it('fails where TLS 1.1 is accepted', async () => {
    const report = await smoke(await start({ minVersion: 'TLSv1' }))
    expect(report.found['old TLS is refused']).toMatchObject({ status: 'fail', said: 'TLSv1.1 is accepted' })
  })

  it('does not take a server that ends every connection for one that refuses old TLS', async () => {
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const report = await runSmoke({ url: `https://127.0.0.1:${port}`, plainUrl: 'http://127.0.0.1:9' })
    expect(report.results.slice(0, 3).map(({ status }) => status)).toEqual(['fail', 'fail', 'fail'])
    await new Promise<void>((resolve) => void server.close(() => resolve()))
  })

  it.each([
    ['serves', 200, {}, 'answered with 200'],
    [
      'redirects to itself',
      301,
      { location: 'http://127.0.0.1/health' },
      'redirected to http://127.0.0.1, not to https',
    ],
    ['redirects elsewhere', 301, { location: 'https://evil.test/' }, 'redirected to https://evil.test'],
    ['looks at the token', 401, {}, 'answered with 401'],
    ['breaks', 500, {}, 'answered with 500'],
  ])('fails where plain http %s', async (_what, status, headers, said) => {
    const report = await smoke(
      await start({ plain: (_request, response) => response.writeHead(status, headers).end() }),
    )
    for (const name of ['plain http', 'a token over plain http'])
      expect(report.found[name]).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
  })

  it.each([
    [429, {}],
    [403, {}],
    [403, { code: 'forbidden' }],
    [404, { code: 'https_required' }],
  ])('does not know whether https is required where plain http gets %s %j', async (status, body) => {
    const report = await smoke(
      await start({ plain: (_request, response) => response.writeHead(status).end(JSON.stringify(body)) }),
    )
    for (const name of ['plain http', 'a token over plain http'])
      expect(report.found[name]).toMatchObject({
        status: 'warn',
        said: expect.stringContaining(`unknown: ${status}`),
      })
  })

  it('passes where nothing listens for plain http', async () => {
    const report = await smoke(await start({ plain: null }))
    expect(report.found['plain http']).toMatchObject({ status: 'pass', said: 'nothing listens for plain http' })
  })

  it('does not know what a silent port means', async () => {
    const report = await smoke(await start({ plain: (request) => request.socket.destroy() }))
    expect(report.found['plain http']).toMatchObject({ status: 'warn', said: expect.stringContaining('unknown') })
  })

  it('is not checked on this machine, and is a failure anywhere else without TLS', async () => {
    const { plainUrl } = await start()
    const local = await runSmoke({ url: plainUrl })
    expect(local.results.slice(0, 5).map(({ status }) => status)).toEqual(Array(5).fill('warn'))
    const remote = await runSmoke({ url: 'http://127.0.0.2:9', token: 'a-token-of-a-user' })
    expect(remote.results.map(({ status }) => status)).toEqual(Array(12).fill('fail'))
    expect(remote.results.at(-1)?.said).toBe('the token was not sent over plain http')
  })
})

describe('the smoke test of the service', () => {
  const broken = () => Response.json({ code: 'internal' }, { status: 500 })

  it.each<[string, string, Change, string]>([
    ['health', '/health fails', answering('/health', broken), '/health returns 500 internal'],
    ['ready', '/ready fails', answering('/ready', broken), '/ready returns 500 internal'],
    ['ready', '/ready is a page of a proxy', answering('/ready', () => new Response('<html>')), '/ready returns 200'],
    ['security headers', 'one is missing', withHeader('x-frame-options', null), 'x-frame-options'],
    [
      'security headers',
      'one is weak',
      withHeader('strict-transport-security', 'max-age=300'),
      'strict-transport-security',
    ],
    [
      'refused authentication',
      'a forged token reads',
      answering('/api/v1/plaid/items', () => Response.json({ data: [] })),
      'a request without a token gets 200 in place of 401 unauthorized',
    ],
    [
      'refused authentication',
      'a forged administrator reads',
      answering('/api/v1/admin/items', () => Response.json({ data: [] })),
      'a forged administrator gets 200',
    ],
    [
      'refused webhook',
      'it is accepted',
      answering('/api/v1/plaid/webhook', () => Response.json({})),
      'an unsigned webhook gets 200',
    ],
    ['CORS of a foreign origin', 'any page may read', withHeader('access-control-allow-origin', '*'), 'may read (*)'],
    [
      'reads with a token',
      'one is no list',
      answering('/api/v1/transactions', () => Response.json({})),
      '/api/v1/transactions returns 200 and no list',
    ],
    ...readPaths.map((path): [string, string, Change, string] => [
      'reads with a token',
      `${path} breaks`,
      answering(path, broken),
      `${path} returns 500 internal`,
    ]),
  ])('fails %s where %s', async (name, _what, change, said) => {
    const report = await smoke(await start({ change }))
    expect(report.found[name]).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
    expect(report.found[name]?.remedy).toMatch(/\w/)
    expect(report.ok).toBe(false)
  })

  it('reads every list of the API, but for those that a deployment can switch off', async () => {
    const { routes } = await readDescription()
    const lists = routes.filter(
      ({ method, path, isPrivate, parameters }) =>
        method === 'GET' &&
        isPrivate &&
        parameters.includes('limit') &&
        !path.includes('{') &&
        !path.includes('/admin/'),
    )
    const optional = ['/api/v1/api-keys', '/api/v1/webhooks/endpoints', '/api/v1/webhooks/deliveries']
    expect(lists.map(({ path }) => path).filter((path) => !optional.includes(path))).toEqual(readPaths)
  })

  it('warns of a freeze', async () => {
    const report = await smoke(await start({ change: answering('/ready', () => readyAnswer(true)) }))
    expect(report.found['ready']).toMatchObject({ status: 'warn', said: expect.stringContaining('frozen') })
  })

  it('does not take a read for granted without a token', async () => {
    const report = await smoke(await start(), { token: undefined })
    expect(report.found['reads with a token']).toMatchObject({ status: 'warn' })
    expect(report.ok).toBe(true)
  })
})
