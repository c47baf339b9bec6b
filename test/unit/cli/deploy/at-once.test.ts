// All traffic at once: `wrangler deploy` applies the triggers after the upload and names the version after both.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rollback } from '../../../../src/cli/deploy/rollback.ts'
import { config, createHarness, first, type Harness, second, withRelease } from './harness.ts'
import { runKilled } from './run-process.ts'

let harness: Harness
const cronsBefore = ['0 4 * * *', ...config.crons]
const worker = () => {
  const found = harness.fake.account().workers[config.workerName]
  if (found === undefined) throw new Error('no Worker')
  return found
}
const setCrons = (crons: string[]) =>
  harness.fake.change(({ workers }) => {
    const found = workers[config.workerName]
    if (found !== undefined) found.crons = crons
  })
/** The migration that the Worker has now. Null: Cloudflare does not say. */
const setMigration = (tag: string | null) =>
  harness.fake.change(({ workers }) => {
    const found = workers[config.workerName]
    if (found === undefined) return
    found.migration_tag = tag
    for (const version of found.versions) version.migration_tag = tag
  })
const run = (change: Parameters<Harness['run']>[0] = {}) =>
  harness.run({ knownCrons: cronsBefore, ...change }, { atOnce: true })
const lostResponse = { command: 'deploy', afterwards: true, times: 1, error: 'The route is refused.' }
const expectBack = async () => {
  expect(harness.traffic()).toEqual({ [first]: 100 })
  expect(worker().crons).toEqual(cronsBefore)
  expect(await harness.state()).toMatchObject({ phase: 'rolled_back' })
}

beforeEach(async () => {
  harness = await withRelease()
  setCrons(cronsBefore)
})
afterEach(() => harness.end())

describe('a deployment at once that fails', () => {
  it('changes nothing before the upload', async () => {
    harness.fake.addFault({ command: 'deploy', times: 1, error: 'The script is too large.' })
    await expect(run()).rejects.toThrow(/too large[^]*The traffic is as before/)
    await expectBack()
  })

  it('goes back after the upload, although wrangler named no version', async () => {
    harness.fake.addFault(lostResponse)
    await expect(run()).rejects.toThrow(/The route is refused\.[^]*The traffic is as before/)
    expect(worker().versions.map(({ id }) => id)).toContain(second)
    await expectBack()
  })

  it('goes back if the version cannot be read', async () => {
    harness.fake.addFault({ command: 'versions view', argument: second, error: 'No response.' })
    await expect(run()).rejects.toThrow(/No response\.[^]*The traffic is as before/)
    await expectBack()
  })

  it('goes back at the next deployment if its process was killed', async () => {
    harness.fake.addFault({ ...lostResponse, killsParent: true })
    expect(await runKilled(harness, { DEPLOY_AT_ONCE: 'yes' })).toBe('SIGKILL')
    await vi.waitFor(() => expect(harness.traffic()).toEqual({ [second]: 100 }), 10_000)
    const state = await harness.state()
    expect(state).toMatchObject({ phase: 'moving', version: null, areTriggersNew: true })
    if (state !== null) await harness.store.save({ ...state, cronsBefore })
    await expect(run({ preflight: () => Promise.reject(new Error('stop')) })).rejects.toThrow('stop')
    await expectBack()
  }, 60_000)

  it('does not overwrite a version that is not its own', async () => {
    harness.fake.addFault({ command: 'deploy', times: 1, error: 'No response.' })
    const print = (line: string): void => {
      if (!line.startsWith('FAILED')) return
      harness.fake.change(({ workers }) => {
        const found = workers[config.workerName]
        const [version] = found?.versions ?? []
        if (found === undefined || version === undefined) return
        found.versions.push({ ...version, id: 'other', tag: 'other' })
        const versions = [{ version_id: 'other', percentage: 100 }]
        found.deployments.push({ created_on: version.created_on, message: null, versions })
      })
    }
    await expect(run({ print })).rejects.toThrow(/Nothing was changed back, because another deployment runs: other/)
    expect(harness.traffic()).toEqual({ other: 100 })
  })

  it('says that the crons can be new where those from before are not known', async () => {
    harness.fake.addFault(lostResponse)
    await expect(run({ liveCrons: () => Promise.resolve(null) })).rejects.toThrow(
      /The crons can be those of this deployment[^]*npx wrangler triggers deploy --env staging/,
    )
    expect(harness.traffic()).toEqual({ [first]: 100 })
  })

  it('leaves no crons where there were none', async () => {
    setCrons([])
    harness.fake.addFault(lostResponse)
    await expect(run()).rejects.toThrow('The traffic is as before')
    expect(worker().crons).toEqual([])
  })
})

describe('a failed deployment without a way back', () => {
  it('says that there was no version before the first one', async () => {
    await harness.end()
    harness = await createHarness()
    await harness.cloudflare.putSecrets(Object.fromEntries(config.requiredSecrets.map((name) => [name, name])))
    harness.fake.addFault(lostResponse)
    await expect(run()).rejects.toThrow(`There was no version before this one. The traffic is ${first} at 100 %.`)
    expect(await harness.state()).toMatchObject({ before: null, noWayBack: 'first' })
  })

  it.each(['rate-limiter', null])('says that it went over a Durable Object migration (before: %s)', async (tag) => {
    setMigration(tag)
    harness.fake.addFault(lostResponse)
    await expect(run()).rejects.toThrow(
      new RegExp(`does not go back over a Durable Object migration\\. The traffic is ${second} at 100 %`),
    )
    expect(harness.traffic()).toEqual({ [second]: 100 })
  })

  it('says that the version with a migration has no traffic if it was not uploaded', async () => {
    setMigration('rate-limiter')
    harness.fake.addFault({ command: 'deploy', times: 1, error: 'The script is too large.' })
    await expect(run()).rejects.toThrow(`has no traffic. The traffic is ${first} at 100 %.`)
  })

  it('is what `rollback` says too', async () => {
    setMigration('rate-limiter')
    await run()
    await expect(rollback(harness.ports(), { withOldSecrets: false })).rejects.toThrow(
      'The last deployment had a Durable Object migration',
    )
  })

  it('waits for the certificate of a first deployment', async () => {
    await harness.end()
    harness = await createHarness()
    await harness.cloudflare.putSecrets(Object.fromEntries(config.requiredSecrets.map((name) => [name, name])))
    const { ask } = harness.ports()
    let asked = 0
    const change = {
      ask: (version: string | null) =>
        (asked += 1) < 450 ? Promise.resolve({ status: 0, version: null }) : ask(version),
    }
    expect(await run(change)).toBe(first)
  })
})
