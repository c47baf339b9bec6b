// What a deployment does when a step fails: the traffic is as before, the operator learns why, and no other deployment is
// overwritten.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeployPorts } from '../../../../src/cli/deploy/ports.ts'
import { config, first, type Harness, second, third, withRelease } from './harness.ts'

let harness: Harness
beforeEach(async () => {
  harness = await withRelease()
})
afterEach(() => harness.end())

const deploys = async () => (await harness.fake.calls()).filter((call) => call.startsWith('versions deploy'))
/** The traffic and the crons are as before. */
const expectBack = async () => {
  expect(harness.traffic()).toEqual({ [first]: 100 })
  expect(harness.fake.account().workers[config.workerName]?.crons).toEqual(config.crons)
  expect(await harness.state()).toMatchObject({ phase: 'rolled_back' })
}
const fails = (path: string, from: number) => ({
  statusOf: (asked: string, count: number) => (asked === path && count >= from ? 503 : 200),
})

describe('a failed deployment', () => {
  it('leaves the traffic alone if the upload fails', async () => {
    harness.fake.addFault({ command: 'versions upload', error: 'The script is too large [code: 10027]' })
    await expect(harness.run()).rejects.toThrow('The script is too large')
    expect(await deploys()).toEqual([])
    expect(harness.traffic()).toEqual({ [first]: 100 })
  })

  it('uploads nothing if the migration fails', async () => {
    const migrations = [{ name: '0050', sql: 'SELECT 1' }]
    const change = { pending: () => Promise.resolve({ isEmpty: false, migrations }) }
    const migrate = () => Promise.reject(new Error('lock timeout'))
    await expect(harness.run({ ...change, migrate })).rejects.toThrow('lock timeout')
    expect((await harness.fake.calls()).filter((call) => call.startsWith('versions upload'))).toEqual([])
  })

  it('gives the version no request of a user if the smoke test at 0 % fails', async () => {
    harness.edge.behaviours.set(second, fails('/health', 1))
    await expect(harness.run()).rejects.toThrow(/The smoke test failed: 503[^]*The traffic is as before/)
    expect(harness.steps).toEqual(['preflight', `smoke ${second}`])
    expect(await deploys()).toHaveLength(2)
    await expectBack()
  })

  it('says the status of a version that does not get ready', async () => {
    harness.edge.behaviours.set(second, fails('/ready', 1))
    await expect(harness.run()).rejects.toThrow('is not ready: /ready returns 503')
    await expectBack()
  })

  it('is not judged by the old version if the override header is never applied', async () => {
    harness.edge.ignored = 1000
    await expect(harness.run()).rejects.toThrow(`does not respond: /ready comes from ${first}`)
    expect(harness.steps).toEqual(['preflight'])
    await expectBack()
  })

  it('has not judged a version that does not name itself', async () => {
    harness.edge.behaviours.set(second, { isNameless: true })
    await expect(harness.run()).rejects.toThrow('comes from a version that it does not name')
    await expectBack()
  })

  it('stops at errors at 10 % before the next step', async () => {
    harness.edge.behaviours.set(second, fails('/ready', 10))
    await expect(harness.run()).rejects.toThrow(/fails: 2 of \d+ requests failed[^]*as before/)
    expect(await deploys()).toHaveLength(3)
    await expectBack()
  })

  it('goes back at errors at 100 %', async () => {
    harness.edge.behaviours.set(second, fails('/ready', 40))
    await expect(harness.run()).rejects.toThrow('requests failed')
    expect((await deploys())[2]).toContain(`${second}@100%`)
    await expectBack()
  })

  it('is not the result of a single failed request', async () => {
    harness.edge.behaviours.set(second, { statusOf: (_, count) => (count === 20 ? 500 : 200) })
    expect(await harness.run()).toBe(second)
  })

  it('goes back at what Cloudflare counted, also if the requests of the command succeed', async () => {
    const readErrorRate = () => Promise.resolve({ requests: 1000, errors: 60 })
    await expect(harness.run({ sources: [{ name: 'analytics', readErrorRate }] })).rejects.toThrow(
      '60 of 1000 requests failed (analytics)',
    )
    await expectBack()
  })

  it('is not the result of a source that cannot be read: that is said once a step', async () => {
    const readErrorRate = () => Promise.reject(new Error('no permission'))
    expect(await harness.run({ sources: [{ name: 'analytics', readErrorRate }] })).toBe(second)
    const said = harness.printed.filter((line) => line.includes('analytics cannot be read: no permission'))
    expect(said).toHaveLength(2)
  })

  it('goes back if the traffic is too thin for a judgement', async () => {
    const { judgement } = harness.ports()
    await expect(harness.run({ judgement: { ...judgement, minRequests: 1000 } })).rejects.toThrow(
      'cannot be judged: 61 requests in 10 minutes, at least 1000 are needed',
    )
    await expectBack()
  })

  it('waits for users first if the requests of the command are too few', async () => {
    const { judgement } = harness.ports()
    let looks = 0
    const readErrorRate = () => Promise.resolve((looks += 1) < 45 ? null : { requests: 5000, errors: 3 })
    const change = { judgement: { ...judgement, minRequests: 1000 }, sources: [{ name: 'analytics', readErrorRate }] }
    expect(await harness.run(change)).toBe(second)
    expect(harness.printed.join('\n')).toContain('3 of 5000 requests failed (analytics)')
  })

  it('goes back, with the crons from before, if its triggers are refused', async () => {
    const before = ['0 4 * * *', ...config.crons]
    harness.fake.change((account) => {
      const worker = account.workers[config.workerName]
      if (worker !== undefined) worker.crons = [...before]
    })
    harness.fake.addFault({ command: 'triggers deploy', afterwards: true, times: 1, error: 'The zone is not yours.' })
    await expect(harness.run({ knownCrons: before })).rejects.toThrow('The zone is not yours.')
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(harness.fake.account().workers[config.workerName]?.crons).toEqual(before)
  })

  it('is not the result of a lost response to a traffic change', async () => {
    harness.fake.addFault({ command: 'versions deploy', argument: '@10%', afterwards: true, times: 1 })
    expect(await harness.run()).toBe(second)
  })

  it('goes back if the operator interrupts it', async () => {
    let looks = 0
    const { wait } = harness.ports()
    const interrupted: DeployPorts['wait'] = (milliseconds) =>
      (looks += 1) < 4 ? wait(milliseconds) : Promise.reject(new Error('interrupted'))
    await expect(harness.run({ wait: interrupted })).rejects.toThrow(/interrupted[^]*as before/)
    await expectBack()
  })
})

describe('a rollback that fails too', () => {
  it('is tried three times', async () => {
    harness.edge.behaviours.set(second, fails('/ready', 10))
    const print = (line: string): void => {
      if (line.startsWith('FAILED')) harness.fake.addFault({ command: 'versions deploy', times: 2 })
    }
    await expect(harness.run({ print })).rejects.toThrow(/requests failed[^]*as before/)
    await expectBack()
  })

  it('is said, with what the traffic must become, and a later `rollback` or deployment repairs it', async () => {
    harness.edge.behaviours.set(second, fails('/ready', 10))
    const deployTriedBack = harness.run({
      print: (line) => {
        if (line.startsWith('FAILED')) harness.fake.addFault({ command: 'versions deploy', times: 3 })
      },
    })
    await expect(deployTriedBack).rejects.toThrow(
      new RegExp(`requests failed[^]*THE ROLLBACK FAILED TOO[^]*must become ${first} at 100 %[^]*npm run rollback`),
    )
    expect(harness.traffic()).toEqual({ [second]: 10, [first]: 90 })
    expect(await harness.state()).toMatchObject({ phase: 'moving' })
    expect(await harness.run()).toBe(third)
    expect(harness.printed.join('\n')).toContain('The last deployment was interrupted.')
  })
})

describe('a rollback after the triggers that ends half way', () => {
  it('is continued by the next deployment, which does not apply the triggers again', async () => {
    const before = ['0 4 * * *', ...config.crons]
    harness.fake.change((account) => {
      const worker = account.workers[config.workerName]
      if (worker !== undefined) worker.crons = [...before]
    })
    harness.fake.addFault({ command: 'triggers deploy', afterwards: true, times: 1, error: 'The zone is not yours.' })
    const print = (line: string): void => {
      if (line.startsWith('FAILED')) harness.fake.addFault({ command: 'versions deploy', times: 3 })
    }
    await expect(harness.run({ knownCrons: before, print })).rejects.toThrow('THE ROLLBACK FAILED TOO')
    expect(await harness.state()).toMatchObject({ phase: 'moving', areTriggersNew: true })
    await expect(harness.run({ preflight: () => Promise.reject(new Error('stop')) })).rejects.toThrow('stop')
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(harness.fake.account().workers[config.workerName]?.crons).toEqual(before)
  })
})

describe('another deployment in the meantime', () => {
  it('is not overwritten, and stops this one', async () => {
    const foreign = harness.run({
      smoke: async () => {
        await harness.cloudflare.setTraffic([{ versionId: first, percentage: 100 }], 'by hand')
        const other = await harness.cloudflare.uploadVersion({ tag: 'other', message: 'other' })
        await harness.cloudflare.setTraffic([{ versionId: other, percentage: 100 }], 'by hand')
      },
    })
    await expect(foreign).rejects.toThrow(`Another deployment changed the traffic: expected ${second} at 0 %`)
    expect(harness.traffic()).toEqual({ [third]: 100 })
  })

  it('is not overwritten by what undoes a failure', async () => {
    const foreign = harness.run({
      smoke: async () => {
        const other = await harness.cloudflare.uploadVersion({ tag: 'other', message: 'other' })
        await harness.cloudflare.setTraffic([{ versionId: other, percentage: 100 }], 'by hand')
        throw new Error('the smoke test failed')
      },
    })
    await expect(foreign).rejects.toThrow(/the smoke test failed[^]*Nothing was changed back/)
    expect(harness.traffic()).toEqual({ [third]: 100 })
  })
})
