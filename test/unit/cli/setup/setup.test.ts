// The set-up of an environment: from nothing, again, after a failure, and what it never does.
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCloudflare } from '../../../../src/cli/lib/cloudflare.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'
import type { SetupDatabase, SetupPorts } from '../../../../src/cli/setup/ports.ts'
import { setUp } from '../../../../src/cli/setup/run.ts'
import { createFakeCloudflare, type FakeCloudflare } from '../../../support/cloudflare/fake.ts'

const config = await readDeployedConfig('production')
const given = { PLAID_CLIENT_ID: 'client-of-a-test', PLAID_SECRET: 'secret-of-a-test' }
const random = ['SECRET_KEY', 'ENCRYPTION_KEY', 'AUDIT_KEY']

let fake: FakeCloudflare
let folder: string
let file: string
let printed: string[]
let made: number
beforeEach(async () => {
  fake = await createFakeCloudflare()
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-setup-'))
  file = join(folder, '.secrets.production.json')
  printed = []
  made = 0
})
afterEach(async () => {
  await fake.end()
  await rm(folder, { recursive: true, force: true })
})

const database = (keys: readonly string[] = []): SetupDatabase => ({
  migrateIfEmpty: () => Promise.resolve(),
  keysInUse: () => Promise.resolve(keys),
  makeLogins: () => {
    made += 1
    const url = (role: string) => `postgres://${role}_${made}:password-${made}@db.invalid/wn?sslmode=require`
    return Promise.resolve({
      DATABASE_URL: url('wn_api'),
      DATABASE_JOBS_URL: url('wn_jobs'),
      DATABASE_IDENTITY_URL: url('wn_identity'),
      DATABASE_BACKUP_URL: url('wn_backup'),
    })
  },
})
const run = (change: Partial<SetupPorts> = {}, replace: readonly string[] = []) =>
  setUp(
    {
      config,
      cloudflare: createCloudflare('production', fake.options, fake.start),
      file,
      database: database(),
      print: (line) => void printed.push(line),
      ...change,
    },
    { replace },
  )
const stored = async (): Promise<Record<string, string>> =>
  JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
const atCloudflare = () => fake.account().workers[config.workerName]?.secrets ?? {}
const give = (secrets: Readonly<Record<string, string>>) => writeFile(file, JSON.stringify(secrets))
const calls = async () => (await fake.calls()).filter((call) => /create|add|bulk/.test(call))

describe('setup', () => {
  it('creates everything from nothing, and the file has each secret that Cloudflare has', async () => {
    await give(given)
    await run()
    expect(fake.account().queues).toEqual(Object.fromEntries(config.queues.map((queue) => [queue, 1_209_600])))
    expect(fake.account().buckets).toEqual({
      [config.buckets[0] ?? '']: [
        { name: 'backups', prefix: 'backups/', days: 30 },
        { name: 'checkpoints', prefix: 'checkpoints/', days: 1095 },
        { name: 'erasures', prefix: 'erasures/', days: 30 },
      ],
    })
    expect(await stored()).toEqual(atCloudflare())
    expect(Object.keys(atCloudflare())).toEqual(expect.arrayContaining([...config.requiredSecrets]))
    for (const name of random) expect(Buffer.from(atCloudflare()[name] ?? '', 'base64')).toHaveLength(32)
    expect(new Set(random.map((name) => atCloudflare()[name])).size).toBe(3)
    expect((await stat(file)).mode & 0o077).toBe(0)
    expect(await readdir(folder)).toEqual(['.secrets.production.json'])
  })

  it('changes nothing when it is run again', async () => {
    await give(given)
    await run()
    const [before, account] = [await stored(), fake.account()]
    const changed = await calls()
    await run()
    expect([await stored(), fake.account()]).toEqual([before, account])
    expect(await calls()).toEqual(changed)
    expect(made).toBe(1)
  })

  it('prints no secret, and passes none as an argument', async () => {
    await give(given)
    await run()
    await run({}, ['PLAID_SECRET'])
    const shown = [...printed, ...(await fake.calls())].join('\n')
    for (const value of Object.values(await stored())) {
      expect(shown).not.toContain(value)
      expect(shown).not.toContain(URL.parse(value)?.password || value)
    }
  })

  it('names what only the operator has, and continues when it is there', async () => {
    await expect(run()).rejects.toThrow(/PLAID_CLIENT_ID, PLAID_SECRET must come from you/)
    const keys = await stored()
    expect(Object.keys(atCloudflare())).toEqual(expect.arrayContaining(random))
    await give({ ...keys, ...given })
    await run()
    expect(await stored()).toEqual({ ...keys, ...given })
    expect(atCloudflare()).toMatchObject({ ...keys, ...given })
  })

  it('has every secret in the file before it uploads: a failed upload loses no key', async () => {
    await give(given)
    fake.addFault({ command: 'secret bulk', times: 1 })
    await expect(run()).rejects.toThrow('Cloudflare does not respond')
    const keys = await stored()
    expect(Object.keys(keys)).toEqual(expect.arrayContaining(random))
    await run()
    expect(await stored()).toEqual(keys)
    expect(atCloudflare()).toEqual(keys)
  })

  it('never replaces a secret of Cloudflare unless that is said', async () => {
    await give(given)
    await run()
    await give({ ...(await stored()), PLAID_SECRET: 'rotated', SECRET_KEY: 'another' })
    await run()
    expect(atCloudflare()['PLAID_SECRET']).toBe('secret-of-a-test')
    await run({}, ['PLAID_SECRET'])
    expect(atCloudflare()['PLAID_SECRET']).toBe('rotated')
    expect(atCloudflare()['SECRET_KEY']).not.toBe('another')
    await expect(run({}, ['AUTH_EMAIL_KEY'])).rejects.toThrow('has no such secret')
  })

  it('makes no key where Cloudflare has one and the file has not, and says so', async () => {
    await give(given)
    await run()
    const before = atCloudflare()
    await rm(file)
    await run()
    expect(atCloudflare()).toEqual(before)
    expect(printed.join('\n')).toContain('check that your vault has them')
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['ENCRYPTION_KEY', 'AUDIT_KEY'])('makes no new %s where stored rows need the old one', async (name) => {
    await give(given)
    await expect(run({ database: database([name]) })).rejects.toThrow(`Stored rows need ${name}`)
    expect(atCloudflare()).toEqual({})
    expect(await stored()).toEqual(given)
    await give({ ...given, [name]: 'from the vault' })
    await run({ database: database([name]) })
    expect(atCloudflare()[name]).toBe('from the vault')
  })

  it("makes no key and no login without the owner's URL", async () => {
    await give(given)
    await expect(run({ database: null })).rejects.toThrow('MIGRATE_DATABASE_URL')
    expect(atCloudflare()).toEqual({})
  })

  it('makes only the login that is missing, and leaves the others in use', async () => {
    await give(given)
    const variables = { ...config.variables, BACKUP_RECIPIENT: 'none' }
    await run({ config: { ...config, variables } })
    const before = atCloudflare()
    expect(before).not.toHaveProperty('DATABASE_BACKUP_URL')
    await run()
    expect(atCloudflare()).toEqual({ ...before, DATABASE_BACKUP_URL: expect.stringContaining('wn_backup_2') })
  })

  it('says where a lock differs, and changes it not', async () => {
    await give(given)
    const bucket = config.buckets[0] ?? ''
    fake.change(({ buckets }) => {
      buckets[bucket] = [{ name: 'backups', prefix: 'backups/', days: 7 }]
    })
    await run()
    expect(printed).toContain(`DIFFERS lock backups of ${bucket}: backups/ after 7 days, and not 30 days`)
    expect(fake.account().buckets[bucket]?.[0]).toMatchObject({ days: 7 })
  })

  it('refuses a file that is no object of texts without quoting it', async () => {
    await writeFile(file, '{"PLAID_SECRET": "quoted-secret"')
    const error = await run().then(
      () => '',
      (reason: unknown) => String(reason),
    )
    expect(error).toContain('is not a JSON object of secrets')
    expect(error).not.toContain('quoted-secret')
  })

  it('uploads nothing that the Worker does not know', async () => {
    await give({ ...given, CLOUDFLARE_API_TOKEN: 'a token of the operator' })
    await run()
    expect(atCloudflare()).not.toHaveProperty('CLOUDFLARE_API_TOKEN')
    expect(printed.join('\n')).toContain('CLOUDFLARE_API_TOKEN')
  })

  it('says what it cannot do', async () => {
    await give(given)
    await run()
    const text = printed.join('\n')
    for (const part of [
      'vault now. Delete it after the deployment',
      'before the first deployment',
      'DNS',
      'TLS',
      "Plaid's dashboard",
      'examples in wrangler.toml',
    ])
      expect(text).toContain(part)
  })
})
