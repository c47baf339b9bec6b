// The port to Cloudflare over a wrangler that is as strict as the real one.
import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ChangedSecretsError,
  type Cloudflare,
  createCloudflare,
  PendingMigrationError,
} from '../../../../src/cli/lib/cloudflare.ts'
import { uploadedVersionIn } from '../../../../src/cli/lib/cloudflare-output.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { runWrangler } from '../../../../src/dev/lib/wrangler.ts'
import { commands } from '../../../support/cloudflare/arguments.ts'
import { createFakeCloudflare, type FakeCloudflare } from '../../../support/cloudflare/fake.ts'
import { sampled } from '../../../support/sampled.ts'
import { readDeclared } from '../../../support/cloudflare/toml.ts'

let fake: FakeCloudflare
let cloudflare: Cloudflare
beforeEach(async () => {
  fake = await createFakeCloudflare()
  cloudflare = createCloudflare('staging', fake.options)
})
afterEach(() => fake.end())

const notes = { tag: 'v1.2.3', message: 'a release' }
const { requiredSecrets, crons, migrationTag } = await readDeployedConfig('staging')
const secrets = Object.fromEntries(requiredSecrets.map((name) => [name, `value of ${name}`]))

async function deployed(): Promise<string> {
  await cloudflare.putSecrets(secrets)
  return await cloudflare.deployAtOnce(notes)
}

describe('Cloudflare’s port without access', () => {
  it.each([
    "✘ [ERROR] In a non-interactive environment, it's necessary to set a CLOUDFLARE_API_TOKEN environment variable for wrangler\n" +
      'To continue without logging in, rerun this command with `--temporary`.',
    'You are not authenticated. Please run `wrangler login`.',
  ])('says how to get it, and not what wrangler advises: %j', async (text) => {
    const refused = createCloudflare('staging', {}, () => Promise.reject(new Error(text)))
    const asks = [() => refused.traffic(), () => refused.secretNames(), () => refused.uploadVersion(notes)]
    for (const ask of asks)
      await expect(ask()).rejects.toThrow(/^wrangler has no access to Cloudflare: run `npx wrangler login`/)
  })
})

describe('Cloudflare’s port', () => {
  it('says null where there is no Worker', async () => {
    expect(await cloudflare.traffic()).toBeNull()
    expect(await cloudflare.secretNames()).toBeNull()
  })

  it('sets secrets through a pipe, and only in its environment', async () => {
    await cloudflare.putSecrets({ PLAID_SECRET: 'a value' })
    expect(await cloudflare.secretNames()).toEqual(['PLAID_SECRET'])
    expect(fake.account().workers['wealthnavigator-edge-staging']?.secrets).toEqual({ PLAID_SECRET: 'a value' })
    expect(await createCloudflare('production', fake.options).secretNames()).toBeNull()
    expect((await fake.calls()).join('\n')).not.toContain('a value')
  })

  it('deploys the first version with triggers and Durable Objects', async () => {
    const id = await deployed()
    expect(await cloudflare.traffic()).toEqual([{ versionId: id, percentage: 100 }])
    expect(await cloudflare.version(id)).toMatchObject({ migrationTag, handlers: ['fetch', 'queue', 'scheduled'] })
    expect((await cloudflare.version(id)).secretNames.toSorted()).toEqual(requiredSecrets.toSorted())
    expect(fake.account().workers['wealthnavigator-edge-staging']?.crons).toEqual(crons)
  })

  it('uploads a version without traffic, then moves the traffic', async () => {
    const before = await deployed()
    const after = await cloudflare.uploadVersion(notes)
    expect(await cloudflare.traffic()).toEqual([{ versionId: before, percentage: 100 }])
    expect((await cloudflare.versions()).at(-1)).toMatchObject({ id: after, tag: 'v1.2.3', message: 'a release' })
    const shares = [
      { versionId: after, percentage: 10 },
      { versionId: before, percentage: 90 },
    ]
    await cloudflare.setTraffic(shares, 'ten per cent')
    expect(await cloudflare.traffic()).toEqual(shares)
    await cloudflare.rollBack(before, 'back')
    expect(await cloudflare.traffic()).toEqual([{ versionId: before, percentage: 100 }])
  })

  it('removes the crons where none are wanted, and takes those of wrangler.toml where none are given', async () => {
    await deployed()
    const atCloudflare = () => fake.account().workers['wealthnavigator-edge-staging']?.crons
    await cloudflare.deployTriggers([])
    expect(atCloudflare()).toEqual([])
    await cloudflare.deployTriggers(['0 4 * * *'])
    expect(atCloudflare()).toEqual(['0 4 * * *'])
    await cloudflare.deployTriggers()
    expect(atCloudflare()).toEqual(crons)
    expect((await readdir(projectFolder)).filter((name) => name.startsWith('.wrangler.'))).toEqual([])
  })

  it('names a pending Durable Object migration', async () => {
    await cloudflare.putSecrets(secrets)
    await expect(cloudflare.uploadVersion(notes)).rejects.toBeInstanceOf(PendingMigrationError)
  })

  it('names a version with other secrets', async () => {
    const before = await deployed()
    await cloudflare.putSecrets({ PLAID_SECRET: 'another' })
    await expect(cloudflare.setTraffic([{ versionId: before, percentage: 100 }], 'back')).rejects.toBeInstanceOf(
      ChangedSecretsError,
    )
  })

  it.each([
    [[{ versionId: 'unknown', percentage: 100 }], 'could not be found'],
    [[{ versionId: 'unknown', percentage: 90 }], 'must total exactly 100%'],
  ])('passes on what Cloudflare refuses: %j', async (shares, message) => {
    await deployed()
    await expect(cloudflare.setTraffic(shares, 'x')).rejects.toThrow(message)
  })

  it('lists and creates queues, buckets and locks', async () => {
    expect(await cloudflare.hasQueue('q')).toBe(false)
    await cloudflare.createQueue('q', 1_209_600)
    expect(await cloudflare.hasQueue('q')).toBe(true)
    expect(await cloudflare.bucketNames()).toEqual([])
    await cloudflare.createBucket('one')
    await cloudflare.createBucket('two')
    expect(await cloudflare.bucketNames()).toEqual(['one', 'two'])
    expect(await cloudflare.locks('one')).toEqual([])
    await cloudflare.addLock('one', { name: 'backups', prefix: 'backups/', days: 30 })
    expect(await cloudflare.locks('one')).toEqual([{ name: 'backups', prefix: 'backups/', condition: 'after 30 days' }])
  })

  it('names the accounts that the credentials reach', async () => {
    expect(await cloudflare.accounts()).toEqual([{ id: 'account', name: 'Test account' }])
  })

  it('fails where wrangler succeeds and uploads nothing', () => {
    const event = JSON.stringify({ type: 'version-upload', version_id: null })
    expect(() => uploadedVersionIn(event, 'The configuration differs')).toThrow('The configuration differs')
    expect(() => uploadedVersionIn('', '')).toThrow('uploaded nothing')
  })
})

describe('the fake wrangler', () => {
  const call = (...args: string[]) => runWrangler(args, fake.folder, fake.options)

  it('refuses a command without --env, an unknown flag, an unknown command and a wrong share', async () => {
    await deployed()
    await expect(call('versions', 'upload')).rejects.toThrow('no target environment')
    await expect(call('versions', 'upload', '--env', 'staging', '--gently')).rejects.toThrow('Unknown argument')
    await expect(call('versions', 'shrink', '--env', 'staging')).rejects.toThrow('Unknown argument')
    await expect(call('versions', 'deploy', 'x@101%', '--yes', '--env', 'staging')).rejects.toThrow('out of range')
  })

  it.each(sampled(Object.entries(commands), 6))(
    'has only flags of %s that the pinned wrangler has',
    async (command, { options }) => {
      const wrangler = join(
        dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
        'bin',
        'wrangler.js',
      )
      const help = await new Promise<string>((resolve, reject) => {
        execFile(
          process.execPath,
          [wrangler, ...command.split(' '), '--help'],
          { env: { ...process.env, NO_COLOR: '1' } },
          (error, out) => (error === null ? resolve(out) : reject(error)),
        )
      })
      for (const flag of Object.keys(options)) expect(help).toMatch(new RegExp(String.raw`--${flag}\b`))
    },
  )

  it('reads the same names from wrangler.toml as wrangler does', async () => {
    const file = join(projectFolder, 'wrangler.toml')
    for (const environment of ['staging', 'production'] as const) {
      const config = await readDeployedConfig(environment)
      const declared = readDeclared(file, environment)
      expect(declared).toEqual({
        workerName: config.workerName,
        crons: config.crons,
        requiredSecrets: config.requiredSecrets,
        migrationTags: expect.arrayContaining([config.migrationTag]),
      })
      expect(declared.migrationTags.at(-1)).toBe(config.migrationTag)
    }
  })

  it('leaves no folder of wrangler behind', async () => {
    await deployed()
    expect(await readdir(fake.folder)).toEqual(['account.json', 'calls.jsonl'])
  })
})
