// Every command prints help, exits with 2 when it is misused and with 1 when it fails, and says what to do.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../src/dev/lib/ports.ts'
import { createPseudonyms } from '../../../src/monitoring/pseudonyms.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { sampled } from '../../support/sampled.ts'

const secret = 'a-secret-of-thirty-two-characters-or-more'

/** The second makes a start faster. */
const { PATH, NODE_COMPILE_CACHE } = process.env
const inherited = { PATH, NODE_COMPILE_CACHE }

interface Outcome {
  code: number
  out: string
  error: string
}

function run(file: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const options = { cwd: projectFolder, env: { ...inherited, ...environment } }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(projectFolder, file), ...args], options, (_, out, error) =>
      resolve({ code: child.exitCode ?? -1, out, error }),
    )
  })
}

describe('a command', () => {
  const commands = [
    'cli/access-tokens.ts',
    'cli/api-key.ts',
    'cli/bench.ts',
    'cli/bundle.ts',
    'cli/client.ts',
    'cli/conformance.ts',
    'cli/cron.ts',
    'cli/admin.ts',
    'cli/audit.ts',
    'cli/backup.ts',
    'cli/data-map.ts',
    'cli/db.ts',
    'cli/example.ts',
    'cli/freeze.ts',
    'cli/language.ts',
    'cli/load.ts',
    'cli/keys.ts',
    'cli/retention.ts',
    'cli/lock.ts',
    'cli/erasure.ts',
    'cli/pseudonym.ts',
    'cli/ranks.ts',
    'cli/recheck.ts',
    'cli/plaid-check.ts',
    'cli/preflight.ts',
    'cli/probe.ts',
    'cli/setup.ts',
    'cli/deploy.ts',
    'cli/rollback.ts',
    'cli/sbom.ts',
    'cli/smoke.ts',
    'cli/token.ts',
    'dev/stack/start.ts',
  ]

  it.each(sampled(commands, 5))('%s has --help', async (file) => {
    expect(await run(`src/${file}`, ['--help'])).toMatchObject({
      code: 0,
      error: '',
      out: expect.stringContaining('npm run'),
    })
  })

  const misuses = [
    ['cli/bench.ts', ['--only', 'nothing']],
    ['cli/bundle.ts', ['--nonsense']],
    ['cli/conformance.ts', ['--plaid', 'production']],
    ['cli/cron.ts', []],
    ['cli/audit.ts', []],
    ['cli/audit.ts', ['verify', '--checkpoint', 'nonsense']],
    ['cli/access-tokens.ts', []],
    ['cli/access-tokens.ts', ['rotate', '--before', 'yesterday']],
    ['cli/freeze.ts', []],
    ['cli/freeze.ts', ['thaw']],
    ['cli/backup.ts', []],
    ['cli/backup.ts', ['create']],
    ['cli/backup.ts', ['create', 'now', '--to', '.']],
    ['cli/backup.ts', ['cleanup', '--to', '.', '--days', '0']],
    ['cli/backup.ts', ['verify', 'nowhere']],
    ['cli/backup.ts', ['verify', '--identity', 'nowhere']],
    ['cli/backup.ts', ['verify', 'nowhere', '--identity', 'nowhere']],
    ['cli/backup.ts', ['restore', 'nowhere', '--identity', 'nowhere']],
    ['cli/backup.ts', ['restore', 'nowhere', '--identity', 'nowhere', '--into', 'nowhere']],
    ['cli/backup.ts', ['restore', 'nowhere', '--identity', 'nowhere', '--into', 'postgres://u@127.0.0.1/db']],
    ['cli/keys.ts', []],
    ['cli/retention.ts', []],
    ['cli/retention.ts', ['plan', 'everything']],
    ['cli/keys.ts', ['destroy']],
    ['cli/keys.ts', ['status', '--url', 'nowhere']],
    ['cli/cron.ts', ['drop-everything']],
    ['cli/cron.ts', ['sweep', '--url', 'nowhere']],
    ['cli/admin.ts', []],
    ['cli/admin.ts', ['grant']],
    ['cli/admin.ts', ['promote', 'root@example.com']],
    ['cli/admin.ts', ['grant', 'root@example.com']],
    ['cli/db.ts', ['destroy']],
    ['cli/db.ts', ['migrate', 'now']],
    ['cli/db.ts', ['generate']],
    ['cli/db.ts', ['migrate']],
    ['cli/load.ts', ['--seconds', '0']],
    ['cli/load.ts', ['--url', 'http://127.0.0.1:9']],
    ['cli/load.ts', ['--url', 'http://203.0.113.7', '--token', 'x']],
    ['cli/load.ts', ['--url', 'http://127.0.0.1@203.0.113.7', '--token', 'x']],
    ['cli/load.ts', ['--nonsense']],
    ['cli/lock.ts', []],
    ['cli/erasure.ts', []],
    ['cli/erasure.ts', ['list']],
    ['cli/erasure.ts', ['verify']],
    ['cli/pseudonym.ts', []],
    ['cli/pseudonym.ts', ['account', 'not-an-address']],
    ['cli/pseudonym.ts', ['network', '192.0.2']],
    ['cli/pseudonym.ts', ['network', '192.0.2.7', '--day', '2026-02-30']],
    ['cli/pseudonym.ts', ['account', 'ada@example.com', '--day', '2026-01-31']],
    ['cli/recheck.ts', []],
    ['cli/recheck.ts', ['--url', 'nowhere']],
    ['cli/plaid-check.ts', ['--env', 'development']],
    ['cli/plaid-check.ts', ['now']],
    ['cli/setup.ts', []],
    ['cli/setup.ts', ['--env', 'development']],
    ['cli/setup.ts', ['--env', 'staging', '--secrets', 'secrets.json']],
    ['cli/setup.ts', ['--env', 'staging', '--secrets', 'docs/../src/secrets.json']],
    ['cli/deploy.ts', []],
    ['cli/deploy.ts', ['--env', 'development']],
    ['cli/deploy.ts', ['--env', 'staging', '--watch-minutes', '0']],
    ['cli/deploy.ts', ['--env', 'staging', '--min-requests', 'many']],
    ['cli/deploy.ts', ['--env', 'staging', '--max-error-rate', '1']],
    ['cli/deploy.ts', ['--env', 'staging']],
    ['cli/rollback.ts', []],
    ['cli/rollback.ts', ['--env', 'everything']],
    ['cli/rollback.ts', ['--env', 'staging', '--to', 'yesterday']],
    ['cli/preflight.ts', []],
    ['cli/preflight.ts', ['--env', 'development']],
    ['cli/probe.ts', []],
    ['cli/probe.ts', ['--url', 'http://127.0.0.1:9', '--every', '60']],
    ['cli/probe.ts', ['--url', 'http://127.0.0.1:9', '--for', '0']],
    ['cli/probe.ts', ['--url', 'http://127.0.0.1:9', '--report', 'x']],
    ['cli/probe.ts', ['--report', 'x', '--until', 'yesterday']],
    ['cli/smoke.ts', []],
    ['cli/smoke.ts', ['--url', 'nowhere']],
    ['cli/smoke.ts', ['--url', 'http://127.0.0.1:9', '--after-deploy']],
    ['cli/smoke.ts', ['--url', 'http://127.0.0.1:9', '--header', 'nonsense']],
    ['cli/token.ts', []],
    ['cli/token.ts', ['--sub', 'x', '--ttl', '0']],
    ['cli/token.ts', ['--sub', 'x', '--role', 'god']],
  ] as const

  it.each(sampled(misuses, 5))('%s %j is misuse', async (file, args) => {
    expect(await run(`src/${file}`, args)).toMatchObject({ code: 2, out: '', error: expect.stringContaining('--help') })
  })

  it('says what to do when it fails', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const outcome = await run('src/cli/cron.ts', ['sweep', '--url', url])
    expect(outcome).toMatchObject({ code: 1, error: expect.stringContaining('npm run dev') })
  })
})

describe('token', () => {
  it('prints a token that expires, with the role only where it was asked for', async () => {
    const plain = await run('src/cli/token.ts', ['--sub', 'ada', '--ttl', '60'], { SECRET_KEY: secret })
    const admin = await run('src/cli/token.ts', ['--sub', 'ada', '--role', 'admin'], { SECRET_KEY: secret })
    const key = new TextEncoder().encode(secret)
    const claims = async ({ out }: Outcome) =>
      (await jwtVerify(out.trim(), key, { issuer: 'wealthnavigator-edge', algorithms: ['HS256'] })).payload
    const { iat = 0, exp = 0, ...rest } = await claims(plain)
    expect([exp - iat, rest]).toEqual([60, { sub: 'ada', iss: 'wealthnavigator-edge' }])
    expect(await claims(admin)).toMatchObject({ role: 'admin' })
  })

  it('refuses to sign a token that an OIDC deployment would refuse', async () => {
    const issuer = { SECRET_KEY: secret, AUTH_ISSUER: 'https://login.wealth.test' }
    const { code, error } = await run('src/cli/token.ts', ['--sub', 'ada'], issuer)
    expect([code, error]).toEqual([1, expect.stringContaining('AUTH_MODE is oidc')])
  })
})

describe('pseudonym', () => {
  it('prints the names of log lines', async () => {
    const names = createPseudonyms(new TextEncoder().encode(secret))
    const ask = async (...args: string[]) =>
      (await run('src/cli/pseudonym.ts', args, { SECRET_KEY: secret })).out.trimEnd()
    expect(await ask('account', 'Ada@Example.com')).toBe(await names.account('ada@example.com'))
    expect(await ask('network', '2001:db8:77:5::9', '--day', '2026-01-31')).toBe(
      await names.network('2001:db8:77::/48', new Date('2026-01-31T08:00:00Z')),
    )
    expect(await ask('user', 'ada')).toBe(await names.user({ issuer: 'wealthnavigator-edge', subject: 'ada' }))
    expect(await ask('user', 'ada', '--issuer', 'https://login.wealth.test')).toBe(
      await names.user({ issuer: 'https://login.wealth.test', subject: 'ada' }),
    )
  })
})
