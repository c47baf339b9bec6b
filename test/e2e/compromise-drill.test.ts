// Rehearses docs/incident-response.md: all secrets of the Worker have leaked, an attacker uses them, and every one of them is
// replaced while users read. Runs each command of the page as it is written. Has a separate PostgreSQL server, because
// database logins belong to a whole server.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { cronSchedules, fireCron } from '../../src/dev/stack/crons.ts'
import { signIn, signUp } from '../support/accounts-over-http.ts'
import { type RunningWorker, startBundle } from '../support/bundle.ts'
import { type Databases, startDatabases } from '../support/databases.ts'
import { type DocumentedCommands, readCommands, type RunOptions } from '../support/documented-commands.ts'
import { type Edge, type Linked, startEdge } from '../support/edge.ts'
import { goodClaims, mintToken } from '../support/tokens.ts'
import { expectTransactionsEqual } from '../support/truth.ts'

type Variables = Readonly<Record<string, string>>

const page = 'docs/incident-response.md'
const newKey = () => randomBytes(32).toString('base64')

let databases: Databases
let folder: string
let edge: Edge
let worker: RunningWorker
/** The variables of the Worker that runs. */
let variables: Variables
let commands: DocumentedCommands

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-drill-'))
  databases = await startDatabases(undefined, () => 'pass')
  edge = await startEdge({
    database: await databases.create(),
    variables: { SECRET_KEY: newKey(), ENCRYPTION_KEY: newKey(), ENCRYPTION_KEY_ID: 'k1', AUDIT_KEY: newKey() },
    start: async (options) => {
      worker = await startBundle({ ...options, stateFolder: folder })
      return { ...worker, dispose: () => worker.dispose(), logs: () => worker.logs() }
    },
  })
  variables = edge.variables
  commands = await readCommands(page)
}, 240_000)
afterAll(async () => {
  await edge.stop()
  await databases.stop()
  await rm(folder, { recursive: true, force: true })
})

const administrator = () =>
  mintToken({ secret: String(variables['SECRET_KEY']), claims: { ...goodClaims('operator'), role: 'admin' } })
const user = (subject: string) =>
  edge.callTo(edge.url, mintToken({ secret: String(variables['SECRET_KEY']), claims: goodClaims(subject) }))

/** Runs a command of the page with the operator's values and secrets. */
async function run(command: string, { values = {}, env: more = {}, added = '' }: RunOptions = {}): Promise<string> {
  const audit = ['AUDIT_KEY', 'AUDIT_KEY_ID', 'AUDIT_KEYS_PREVIOUS', 'SECRET_KEY'].map((name) => [
    name,
    variables[name] ?? '',
  ])
  const env = {
    MIGRATE_DATABASE_URL: edge.database.ownerUrl,
    ADMIN_TOKEN: administrator(),
    ...Object.fromEntries(audit),
    ...more,
  }
  const fixed = {
    '--env ENV': '--env production',
    'https://api.example.com': edge.url,
    '.secrets.': join(folder, '.secrets.'),
  }
  const { code, output } = await commands.run(command, { values: { ...fixed, ...values }, env, added })
  expect([command, code, code === 0 ? '' : output]).toEqual([command, 0, ''])
  return output
}

/**
 * Runs a command that deploys the secrets of a file, and the variables that the page has the reader write into wrangler.toml:
 * wrangler checks the command and the file, and the Worker starts anew with them.
 */
async function deploy(command: string, secrets: Variables, toml: Variables): Promise<void> {
  const [file = ''] = /\.secrets\.\w+\.json$/.exec(command) ?? []
  const path = join(folder, file)
  await writeFile(path, JSON.stringify(secrets), { mode: 0o600 })
  const added = ` --dry-run --outdir ${join(folder, 'dist')}`
  const env = { CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', WRANGLER_LOG_PATH: folder }
  await run('npm run -s console')
  await run(command, { added, env })
  await worker.dispose()
  variables = { ...variables, ...secrets, ...toml }
  worker = await startBundle({ bindings: { ...variables }, port: edge.port, stateFolder: folder })
}

/** Whether Plaid accepts an API secret. */
async function isActive(secret: string): Promise<boolean> {
  const response = await fetch(`${edge.simulator.url}/institutions/get`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: edge.simulator.clientId, secret, count: 1, offset: 0, country_codes: ['US'] }),
  })
  return z.object({ error_code: z.string().optional() }).parse(await response.json()).error_code !== 'INVALID_API_KEYS'
}

/** Whether Plaid accepts an access token. */
const opens = (accessToken: string) =>
  edge.bank.plaid('/item/get', { access_token: accessToken }).then(
    () => true,
    () => false,
  )
const connects = async (url: string): Promise<boolean> => {
  const client = new Client(url)
  client.on('error', () => undefined)
  return await client.connect().then(
    async () => {
      await client.end()
      return true
    },
    () => false,
  )
}
const statusOf = async (url: string, path: string, token?: string) =>
  (await edge.callTo(url, token)('GET', path)).status

const urlsSchema = z.object({
  DATABASE_BACKUP_URL: z.string(),
  DATABASE_URL: z.string(),
  DATABASE_JOBS_URL: z.string(),
  DATABASE_IDENTITY_URL: z.string(),
})

describe('an account that an attacker uses', () => {
  test('loses the role of an administrator and every session', async () => {
    const email = 'admin@example.com'
    await signUp(edge, email)
    await edge.sql(`update identity.accounts set role = 'admin' where email = $1`, [email])
    const stolen = await signIn(edge, email)
    expect((await stolen.call('GET', '/api/v1/admin/freeze')).status).toBe(200)
    expect(await run('npm run admin -- revoke admin@example.com')).toContain('is not an administrator now')
    expect((await stolen.call('GET', '/api/v1/admin/freeze')).status).toBe(401)
    const body = { refresh_token: stolen.refreshToken }
    expect((await edge.call('POST', '/api/v1/auth/refresh', { body })).status).toBe(401)
  })

  test('loses every session of a user, and its requests are found in the log', async () => {
    const email = 'person@example.com'
    const stolen = await signUp(edge, email)
    const [statement = ''] = [
      ...(await readFile(join(projectFolder, page), 'utf8')).matchAll(/```sql\n([\s\S]*?)```/g),
    ].map(([, sql = '']) => sql)
    expect(statement).toContain(email)
    await edge.sql(statement)
    const body = { refresh_token: stolen.refreshToken }
    expect((await edge.call('POST', '/api/v1/auth/refresh', { body })).status).toBe(401)
    const pseudonym = (await run('npm run -s pseudonym -- account person@example.com')).trim()
    expect(worker.logs().some((line) => line.includes(`"account":"${pseudonym}"`))).toBe(true)
  })
})

describe('a compromise of all secrets of the Worker', () => {
  const subjects = ['saver', 'neighbour']
  let items: Linked[]
  let stolen: {
    readonly token: string
    readonly variables: Variables
    readonly accessTokens: readonly string[]
    readonly session: Client
  }
  let checkpoint: string
  let since: string

  test('ends with every secret replaced, and with the same data as at the bank', async () => {
    items = [await edge.linkAndSync('saver'), await edge.linkAndSync('neighbour')]
    const session = new Client(edge.database.jobsUrl)
    session.on('error', () => undefined)
    await session.connect()
    stolen = {
      token: administrator(),
      variables,
      accessTokens: items.map(({ plaidItemId }) => edge.accessToken(plaidItemId)),
      session,
    }
    since = new Date().toISOString()
    await contain()
    await rotate()
    await verify()
    for (const [index, subject] of subjects.entries())
      await vi.waitFor(() => expectTransactionsEqual({ ...edge, as: user }, subject, items[index]?.plaidItemId ?? ''), {
        timeout: 30_000,
      })
  }, 400_000)

  async function contain(): Promise<void> {
    expect(await run('npm run freeze -- lock')).toContain('locked since')
    // With the leaked SECRET_KEY, the attacker is an administrator, but cannot end the freeze.
    const attacker = edge.callTo(edge.url, stolen.token)
    expect((await attacker('DELETE', '/api/v1/admin/freeze')).status).toBe(409)
    await fireCron(edge.url, cronSchedules.audit)
    const printed = await run('npm run audit -- verify')
    checkpoint = /checkpoint (\d+:[0-9a-f]+)/.exec(printed)?.[1] ?? ''
    expect(checkpoint).not.toBe('')
    expect((await user('saver')('POST', '/api/v1/plaid/sync/all')).status).toBe(503)
    for (const [index, { plaidItemId }] of items.entries())
      await edge.bank.change(plaidItemId, { add: 3 + index, modify: 2, remove: 1, silent: true })
  }

  async function rotate(): Promise<void> {
    const keys = []
    for (let count = 0; count < 3; count += 1) keys.push((await run('npm run -s keys -- generate')).trim())
    const [secretKey = '', encryptionKey = '', auditKey = ''] = keys
    // In Plaid's dashboard.
    const plaidSecret = randomBytes(15).toString('hex')
    await edge.bank.client({ secrets: [edge.simulator.secret, plaidSecret] })
    await run('npm run -s db:bootstrap > .secrets.logins.json')
    const urls = urlsSchema.parse(JSON.parse(await readFile(join(folder, '.secrets.logins.json'), 'utf8')))
    const secrets = {
      ...urls,
      SECRET_KEY: secretKey,
      PLAID_SECRET: plaidSecret,
      ENCRYPTION_KEY: encryptionKey,
      ENCRYPTION_KEYS_PREVIOUS: JSON.stringify({ k1: variables['ENCRYPTION_KEY'] }),
      AUDIT_KEY: auditKey,
      AUDIT_KEYS_PREVIOUS: JSON.stringify({ a1: variables['AUDIT_KEY'] }),
    }
    await deploy('npx wrangler deploy --env ENV --assets dist/console --secrets-file .secrets.rotation.json', secrets, {
      ENCRYPTION_KEY_ID: 'k2',
      AUDIT_KEY_ID: 'a2',
    })
    expect(await run('curl -f https://api.example.com/ready')).toContain('"frozen":true')
    await edge.bank.client({ secrets: [plaidSecret] })
    expect(await isActive(stolen.variables['PLAID_SECRET'] ?? '')).toBe(false)
    expect(await isActive(plaidSecret)).toBe(true)
    // A Worker of before works with the older logins until they are retired.
    const before = await edge.startAnother(stolen.variables)
    expect(await statusOf(before.url, '/ready')).toBe(200)
    expect(await statusOf(edge.url, '/api/v1/admin/freeze', stolen.token)).toBe(401)

    expect(await run('npm run keys -- rotate --url https://api.example.com')).toContain('secrets of other keys: 0')
    expect(await run('npm run keys -- status --url https://api.example.com')).toContain('secrets of other keys: 0')
    const minimum = { ENCRYPTION_MIN_KEY_ID: 'k2' }
    await deploy(
      'npx wrangler deploy --env ENV --assets dist/console --secrets-file .secrets.previous.json',
      { ENCRYPTION_KEYS_PREVIOUS: '{}' },
      minimum,
    )
    expect(await statusOf(edge.url, '/ready')).toBe(200)

    expect(await Promise.all(stolen.accessTokens.map(opens))).toEqual([true, true])
    expect(await run('npm run freeze -- frozen')).toContain('frozen since')
    expect(await run('npm run freeze -- recovery')).toContain('recovery since')
    const rotated = await run('npm run access-tokens -- rotate --url https://api.example.com')
    expect(rotated).toContain('0 of 2 access tokens')
    expect(await Promise.all(stolen.accessTokens.map(opens))).toEqual([false, false])

    expect(await connects(stolen.variables['DATABASE_JOBS_URL'] ?? '')).toBe(true)
    await run('npm run -s db:bootstrap -- --retire')
    await expect(stolen.session.query('select 1')).rejects.toThrow('onnection')
    for (const name of Object.keys(urlsSchema.shape))
      expect([name, await connects(stolen.variables[name] ?? '')]).toEqual([name, false])
    expect(await statusOf(before.url, '/ready')).toBe(503)
  }

  async function verify(): Promise<void> {
    await fireCron(edge.url, cronSchedules.audit)
    const values = { 'NUMBER:MAC': checkpoint }
    expect(await run('npm run audit -- verify --checkpoint NUMBER:MAC', { values })).toContain('valid: ')
    const left = await run(
      'npm run access-tokens -- status --before 2026-03-02T09:30:00Z --url https://api.example.com',
      { values: { '2026-03-02T09:30:00Z': since } },
    )
    expect(left).toContain('0 of 2 access tokens')
    await run('npm run freeze -- off')
    expect(await run('npm run freeze -- status')).toContain('off since')
    for (const subject of subjects) expect((await user(subject)('POST', '/api/v1/plaid/sync/all')).status).toBe(202)
    await edge.settled()
    const actions = await edge.sql('select distinct action from audit_log')
    expect(actions.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['key_rotation_started', 'token_rotation_started']),
    )
  }
})

test('a planned rotation of SECRET_KEY refuses no token until the previous key is removed', async () => {
  const rotated = { SECRET_KEY: newKey(), SECRET_KEY_PREVIOUS: String(variables['SECRET_KEY']) }
  const tokens = [rotated.SECRET_KEY_PREVIOUS, rotated.SECRET_KEY].map((secret) =>
    mintToken({ secret, claims: goodClaims('saver') }),
  )
  const statusesAt = async ({ url }: RunningWorker) =>
    await Promise.all(tokens.map((token) => statusOf(url, '/api/v1/plaid/items', token)))
  const swapped = { SECRET_KEY: rotated.SECRET_KEY_PREVIOUS, SECRET_KEY_PREVIOUS: rotated.SECRET_KEY }
  expect(await statusesAt(worker)).toEqual([200, 401])
  expect(await statusesAt(await edge.startAnother({ ...variables, ...swapped }))).toEqual([200, 200])
  expect(await statusesAt(await edge.startAnother({ ...variables, ...rotated }))).toEqual([200, 200])
  const after = { SECRET_KEY: rotated.SECRET_KEY, SECRET_KEY_PREVIOUS: '' }
  expect(await statusesAt(await edge.startAnother({ ...variables, ...after }))).toEqual([401, 200])
})

test('a planned rotation of PLAID_SECRET loses no sync while two secrets are active, and needs no second variable', async () => {
  const [before, after] = [String(variables['PLAID_SECRET']), randomBytes(15).toString('hex')]
  const [row] = await edge.sql(
    `select i.plaid_item_id from items i join users u on u.id = i.user_id where u.subject = 'saver' and i.removed_at is null`,
  )
  const plaidItemId = String(row?.['plaid_item_id'])
  const token = mintToken({ secret: String(variables['SECRET_KEY']), claims: goodClaims('saver') })
  const requestSync = async ({ url }: RunningWorker) =>
    expect((await edge.callTo(url, token)('POST', '/api/v1/plaid/sync/all')).status).toBe(202)
  const equals = () =>
    vi.waitFor(() => expectTransactionsEqual({ ...edge, as: user }, 'saver', plaidItemId), { timeout: 30_000 })
  const syncs = async (by: RunningWorker) => {
    await edge.bank.change(plaidItemId, { add: 2, silent: true })
    await requestSync(by)
    await equals()
  }

  await edge.bank.client({ secrets: [before, after] })
  const next = await edge.startAnother({ ...variables, PLAID_SECRET: after })
  // The deployment: both versions of the Worker run.
  await syncs(worker)
  await syncs(next)
  await syncs(worker)
  await edge.bank.client({ secrets: [after] })
  expect([await isActive(before), await isActive(after)]).toEqual([false, true])
  // A version of before that still runs: its sync fails, and the item stays as it is.
  await edge.bank.change(plaidItemId, { add: 2, silent: true })
  await requestSync(worker)
  await vi.waitFor(() => expect(worker.logs().some((line) => line.includes('INVALID_API_KEYS'))).toBe(true), {
    timeout: 20_000,
  })
  const [item] = await edge.sql('select status from items where plaid_item_id = $1', [plaidItemId])
  expect(item?.['status']).toBe('healthy')
  // The deployment ends. The queue and its messages stay.
  await worker.dispose()
  variables = { ...variables, PLAID_SECRET: after }
  worker = await startBundle({ bindings: { ...variables }, port: edge.port, stateFolder: folder })
  await vi.waitFor(
    async () => {
      await requestSync(worker)
      await expectTransactionsEqual({ ...edge, as: user }, 'saver', plaidItemId)
    },
    { timeout: 90_000, interval: 5000 },
  )
}, 300_000)

test('every command of the page has run as it is written', () => {
  expect(commands.left()).toEqual([])
})
