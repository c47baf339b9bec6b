// Going back after a deployment that was finished.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rollback, type RollbackOptions } from '../../../../src/cli/deploy/rollback.ts'
import { config, createHarness, first, type Harness, second, third, withRelease } from './harness.ts'

let harness: Harness
beforeEach(async () => {
  harness = await withRelease()
})
afterEach(() => harness.end())

const back = (options: Partial<RollbackOptions> = {}) =>
  rollback(harness.ports(), { withOldSecrets: false, ...options })
const worker = () => {
  const found = harness.fake.account().workers[config.workerName]
  if (found === undefined) throw new Error('no Worker')
  return found
}

describe('rollback', () => {
  it('brings the kept traffic table and its crons back', async () => {
    const before = ['0 4 * * *', ...config.crons]
    harness.fake.change((account) => {
      const changed = account.workers[config.workerName]
      if (changed !== undefined) changed.crons = before
    })
    await harness.run({ knownCrons: before })
    expect(worker().crons).toEqual(config.crons)
    await back()
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(worker().crons).toEqual(before)
    expect(await harness.state()).toMatchObject({ phase: 'rolled_back' })
  })

  it('can be repeated', async () => {
    await harness.run()
    await back()
    await back()
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(harness.printed.join('\n')).toContain('already what it should be')
  })

  it('finishes what a failed rollback of a deployment left', async () => {
    harness.edge.behaviours.set(second, { statusOf: (path, count) => (path === '/ready' && count > 10 ? 500 : 200) })
    const print = (line: string): void => {
      if (line.startsWith('FAILED')) harness.fake.addFault({ command: 'versions deploy', times: 3 })
    }
    await expect(harness.run({ print })).rejects.toThrow('THE ROLLBACK FAILED TOO')
    await back()
    expect(harness.traffic()).toEqual({ [first]: 100 })
  })

  it('goes to a named version', async () => {
    await harness.run()
    await harness.run()
    expect(harness.traffic()).toEqual({ [third]: 100 })
    await back({ to: first })
    expect(harness.traffic()).toEqual({ [first]: 100 })
    await expect(back({ to: 'unknown' })).rejects.toThrow('could not be found')
  })

  it('brings back the version that the message of the deployment names, where the file is gone', async () => {
    await harness.run()
    await rm(harness.store.file)
    await back()
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(harness.printed.join('\n')).toContain(`the deployment says that ${first} served before it`)
  })

  it('takes no table of a file that is older than the deployment', async () => {
    await harness.run()
    const old = await readFile(harness.store.file, 'utf8')
    await harness.run()
    expect(harness.traffic()).toEqual({ [third]: 100 })
    await writeFile(harness.store.file, old)
    await back()
    expect(harness.traffic()).toEqual({ [second]: 100 })
    expect(harness.printed.join('\n')).toContain('is of an older deployment')
  })

  it.each(['none', 'damaged'])('lists the versions where the file is %s, and takes one of them', async (kind) => {
    await harness.cloudflare.uploadVersion({ tag: 'v2', message: 'v2' })
    if (kind === 'damaged') await writeFile(harness.store.file, '{')
    await expect(back()).rejects.toThrow(new RegExp(`Name a version with --to:[^]*${first}[^]*${second}`))
    expect(harness.traffic()).toEqual({ [first]: 100 })
    await back({ to: second })
    expect(harness.traffic()).toEqual({ [second]: 100 })
  })

  it('says that there is nothing before the first deployment', async () => {
    await harness.end()
    harness = await createHarness()
    await harness.cloudflare.putSecrets(Object.fromEntries(config.requiredSecrets.map((name) => [name, name])))
    await harness.run()
    await expect(back()).rejects.toThrow('The last deployment was the first one')
  })

  it('refuses to go over a Durable Object migration, and says what to do', async () => {
    await harness.run()
    harness.fake.change((account) => {
      for (const version of account.workers[config.workerName]?.versions ?? [])
        if (version.id === first) version.migration_tag = 'rate-limiter'
    })
    await expect(back()).rejects.toThrow(
      new RegExp(`from before the Durable Object migration ${config.migrationTag}[^]*npm run deploy`),
    )
    expect(harness.traffic()).toEqual({ [second]: 100 })
  })

  it('brings old secrets back only where that is said', async () => {
    await harness.run()
    await harness.cloudflare.putSecrets({ PLAID_SECRET: 'rotated' })
    await expect(back()).rejects.toThrow(/PLAID_SECRET[^]*--with-old-secrets/)
    expect(worker().secrets['PLAID_SECRET']).toBe('rotated')
    await back({ withOldSecrets: true })
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(worker().secrets['PLAID_SECRET']).toBe('PLAID_SECRET')
  })

  it('waits for no deployment: it refuses while one runs', async () => {
    const unlock = await harness.store.lock()
    await expect(back()).rejects.toThrow('Another deployment runs')
    await unlock()
  })
})
