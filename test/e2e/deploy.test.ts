// A deployment as an operator runs it: `npm run deploy` and `npm run rollback` in a separate checkout, with every real
// port: processes of wrangler (one that is as strict as Cloudflare), the API of Cloudflare and of GitHub over HTTP, the
// database and the edge over TLS, and real Workers behind it that the smoke test asks.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import * as z from 'zod'
import { createCloudflare } from '../../src/cli/lib/cloudflare.ts'
import { readDeployedConfig } from '../../src/cli/lib/deployed-config.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { startWorkerd } from '../../src/dev/lib/workerd-process.ts'
import { workerVariables } from '../support/bindings.ts'
import { makeCertificate } from '../support/certificate.ts'
import { type ApiServer, ciRun, repository, startApiServer } from '../support/cloudflare/api-server.ts'
import { type Checkout, makeCheckout } from '../support/cloudflare/checkout.ts'
import { createFakeCloudflare, type FakeCloudflare } from '../support/cloudflare/fake.ts'
import { startTlsEdge, type TlsEdge } from '../support/cloudflare/tls-edge.ts'
import { runsLongProofs } from '../support/sampled.ts'
import { connectStack } from '../support/stack.ts'
import { startTlsProxy } from '../support/tls-proxy.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'
import { email, key, recipient } from '../unit/config/variables.ts'

const minute = 60_000
const declared = await readDeployedConfig('staging')
const { workerName } = declared
const [first, broken, good] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
]

/** Every real port, with a judgement of seconds in place of minutes: `npm run deploy` watches each step for at least one. */
const quickProgram = `
import { deployPorts } from './deploy/real-ports.ts'
import { deploy } from './deploy/run.ts'
import { interruption } from './deploy/interruption.ts'
const judgement = { minRequests: 5, maxErrorRate: 0.01, watchMs: 2000, extraMs: 5000, everyMs: 250 }
const choices = { judgement, tested: process.argv[2] ?? null, backupTo: null, signal: interruption() }
const version = await deploy(await deployPorts('staging', choices), { allowContract: [], atOnce: false })
console.log('deployed ' + version)
`

const migration = { tag: '9999_deployed_note', sql: 'ALTER TABLE "items" ADD COLUMN "deployed_note" text;' }
const stateSchema = z.object({ phase: z.string(), version: z.string().nullable() })

let undo: (() => Promise<unknown>)[] = []
let fake: FakeCloudflare
let edge: TlsEdge
let api: ApiServer
let checkout: Checkout
let environment: NodeJS.ProcessEnv
let owner: Client
let backups: string

interface Ended {
  readonly code: number
  readonly printed: string
}

function run(file: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: checkout.folder, env: { ...environment, ...more }, maxBuffer: 64_000_000 }
    const child = execFile(file, [...args], options, (_error, out, errors) =>
      resolve({ code: child.exitCode ?? -1, printed: `${out}${errors}` }),
    )
  })
}

const npm = (script: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run('npm', ['run', '-s', script, '--', '--env', 'staging', ...args], more)

const worker = () => {
  const found = fake.account().workers[workerName]
  if (found === undefined) throw new Error('There is no Worker.')
  return found
}
const traffic = (): Record<string, number> =>
  Object.fromEntries(
    worker()
      .deployments.at(-1)
      ?.versions.map((one) => [one.version_id, one.percentage]) ?? [],
  )
const state = async () =>
  stateSchema.parse(JSON.parse(await readFile(join(checkout.folder, '.deployments', 'staging.json'), 'utf8')))
const hasMigration = async (): Promise<boolean> => {
  const { rows } = await owner.query(
    `SELECT 1 FROM information_schema.columns WHERE table_name = 'items' AND column_name = 'deployed_note'`,
  )
  return rows.length > 0
}

beforeAll(async () => {
  const stack = connectStack(inject('control'))
  const [database, bank, bundle] = [await stack.createDatabase(), await stack.startSimulator(), await stack.bundle()]
  undo.push(
    () => stack.dropDatabase(database.name),
    () => stack.stopSimulator(bank.id),
  )
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-deployed-'))
  undo.push(() => rm(folder, { recursive: true, force: true }))
  backups = join(folder, 'backups')
  const certificate = await makeCertificate(60)
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, certificate.cert)
  const proxy = await startTlsProxy(certificate)
  undo.push(() => proxy.stop())
  const tls = (url: string): string => proxy.through(url, `sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`)
  owner = new Client(database.ownerUrl)
  await owner.connect()
  undo.push(() => owner.end())
  // A database with users needs a backup.
  await owner.query(`INSERT INTO users (issuer, subject) VALUES ('wealthnavigator-edge', 'somebody')`)

  fake = await createFakeCloudflare()
  undo.push(() => fake.end())
  edge = await startTlsEdge(fake.folder, workerName, certificate)
  undo.push(() => edge.stop())
  const secrets = {
    PLAID_CLIENT_ID: bank.clientId,
    PLAID_SECRET: bank.secret,
    DATABASE_URL: tls(database.apiUrl),
    DATABASE_JOBS_URL: tls(database.jobsUrl),
    DATABASE_IDENTITY_URL: tls(database.identityUrl),
    DATABASE_BACKUP_URL: tls(database.backupUrl),
    SECRET_KEY: key('signs'),
    ENCRYPTION_KEY: key('seals'),
    AUDIT_KEY: key('audits'),
    AUTH_EMAIL_KEY: email.AUTH_EMAIL_KEY,
  }
  const { AUTH_EMAIL_URL, AUTH_EMAIL_FROM, AUTH_PUBLIC_URL } = email
  checkout = await makeCheckout({
    host: `localhost:${edge.port}`,
    variables: {
      BACKUP_RECIPIENT: recipient,
      SENTRY_DSN: 'none',
      CORS_ORIGINS: '["https://app.wealth.test"]',
      AUTH_EMAIL_URL,
      AUTH_EMAIL_FROM,
      AUTH_PUBLIC_URL,
    },
    secrets,
    files: { 'src/cli/quick-deploy.ts': quickProgram },
    migration,
  })
  undo.push(() => checkout.remove())
  api = await startApiServer({
    folder: fake.folder,
    workerName,
    cloudflareToken: 'cloudflare-token',
    githubToken: 'github-token',
    commit: () => checkout.commit,
    requestsOf: (version) => edge.served.get(version) ?? 0,
  })
  undo.push(() => api.stop())

  // What `npm run setup` and an earlier release left.
  const cloudflare = createCloudflare('staging', fake.options, fake.start)
  fake.change((account) => void account.nextIds.push('draft', first, broken, good))
  for (const queue of new Set(declared.queues)) await cloudflare.createQueue(queue, 1_209_600)
  for (const bucket of declared.buckets) await cloudflare.createBucket(bucket)
  await cloudflare.putSecrets(secrets)
  await cloudflare.deployAtOnce({ tag: 'v1.0.0', message: 'the release before' })
  for (const versionId of [first, broken, good]) {
    const variables = { ...workerVariables(database), SECRET_KEY: secrets.SECRET_KEY, PLAID_BASE_URL: bank.url }
    const signal = AbortSignal.timeout(minute)
    const place = join(folder, versionId)
    const workerd = await startWorkerd({ projectFolder, folder: place, bundle, versionId, variables, signal })
    undo.push(() => workerd.stop())
    edge.workers.set(versionId, workerd.port)
  }
  environment = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    TMPDIR: tmpdir(),
    ...fake.environment,
    NODE_EXTRA_CA_CERTS: ca,
    MIGRATE_DATABASE_URL: tls(database.ownerUrl),
    PLAID_BASE_URL: bank.url,
    CLOUDFLARE_API_TOKEN: 'cloudflare-token',
    CLOUDFLARE_API_BASE_URL: `${api.url}/cloudflare`,
    GITHUB_TOKEN: 'github-token',
    GITHUB_API_URL: `${api.url}/github`,
    GITHUB_REPOSITORY: repository,
    npm_config_registry: `${api.url}/registry/`,
    npm_config_update_notifier: 'false',
    SMOKE_TOKEN: mintToken({
      secret: secrets.SECRET_KEY,
      claims: { ...goodClaims('smoke'), exp: Math.floor(Date.now() / 1000) + 7200 },
    }),
  }
}, 3 * minute)
afterAll(async () => {
  for (const step of undo.toReversed()) await step()
  undo = []
})

describe('npm run deploy', () => {
  it.runIf(runsLongProofs())('changes nothing if the preflight fails', { timeout: 3 * minute }, async () => {
    const expired = mintToken({ secret: key('signs'), claims: { ...goodClaims('smoke'), exp: 1_000_000_000 } })
    const before = await fake.calls()
    const { code, printed } = await npm('deploy', ['--tested', ciRun], { SMOKE_TOKEN: expired })
    expect(printed).toContain('The preflight failed: nothing was changed.')
    expect(printed).toMatch(/FAIL.*SMOKE_TOKEN expired/)
    // No --backup-to, and the newest backup is not there.
    expect(printed).toMatch(/FAIL.*backup/)
    expect(code).toBe(1)
    const reads = /^(?:whoami|deployments status|secret list|queues info|r2 bucket list)/
    expect((await fake.calls()).slice(before.length).filter((call) => !reads.test(call))).toEqual([])
    expect(await hasMigration()).toBe(false)
  })

  it('goes back by itself if the new version fails its smoke test', { timeout: 5 * minute }, async () => {
    edge.broken.add(broken)
    const { code, printed } = await npm('deploy', ['--tested', ciRun, '--backup-to', backups])
    expect(printed).toContain(`Uploaded ${broken}.`)
    expect(printed).toContain('FAILED: The smoke test failed')
    expect(printed).toContain(`The traffic is as before: ${first} at 100 %`)
    expect(code).toBe(1)
    expect(traffic()).toEqual({ [first]: 100 })
    expect(await state()).toEqual({ phase: 'rolled_back', version: broken })
    // The preflight has made the backup, and applied nothing; the deployment has migrated before the upload.
    expect(await readdir(backups)).toHaveLength(1)
    expect(await hasMigration()).toBe(true)
    expect(printed).toContain(`Migrations: ${migration.tag}`)
    for (const name of ['static analysis', 'bundle and start-up'])
      expect(printed).toMatch(new RegExp(`pass.*${name}.*nothing found`))
    expect(printed).toMatch(/pass.*run 42 passed for/)
    expect(printed).toContain(' warned, 0 failed.\nThe traffic before')
    for (const secret of [key('signs'), key('seals'), key('audits'), 'cloudflare-token'])
      expect(printed).not.toContain(secret)
  })

  it('brings a version to all traffic with the real ports', { timeout: 5 * minute }, async () => {
    const program = join('src', 'cli', 'quick-deploy.ts')
    const { code, printed } = await run(process.execPath, [program, ciRun])
    expect(printed).toContain(`deployed ${good}`)
    expect(code).toBe(0)
    expect(traffic()).toEqual({ [good]: 100 })
    expect(await state()).toEqual({ phase: 'done', version: good })
    const calls = (await fake.calls()).slice(-80)
    for (const share of [`${good}@0% ${first}@100%`, `${good}@10% ${first}@90%`, `${good}@100%`])
      expect(calls.some((call) => call.startsWith(`versions deploy ${share} `))).toBe(true)
    expect(calls.some((call) => call === 'triggers deploy')).toBe(true)
    expect(api.asked).toContain('POST /cloudflare/graphql 200')
    expect(api.asked).toContain(`GET /cloudflare/accounts/account/workers/scripts/${workerName}/schedules 200`)
    expect(api.asked.filter((line) => line.startsWith('POST /cloudflare') && !line.endsWith(' 200'))).toEqual([])
    // The version has the commit as its tag.
    expect(worker().versions.find(({ id }) => id === good)).toMatchObject({
      tag: `0.1.0+${checkout.commit.slice(0, 12)}`,
      message: 'a release',
    })
  })
})

describe('npm run rollback', () => {
  it('brings back the traffic from before on a machine without the file', { timeout: 2 * minute }, async () => {
    await rm(join(checkout.folder, '.deployments'), { recursive: true })
    const { code, printed } = await npm('rollback', [])
    expect(printed).toContain(`the deployment says that ${first} served before it`)
    expect(code).toBe(0)
    expect(traffic()).toEqual({ [first]: 100 })
  })
})
