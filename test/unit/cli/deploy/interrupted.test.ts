// A deployment whose process is killed, two at once, and a file that is damaged.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rollback } from '../../../../src/cli/deploy/rollback.ts'
import { config, first, type Harness, second, third, withRelease } from './harness.ts'
import { runKilled } from './run-process.ts'
import { runsLongProofs, sampled } from '../../../support/sampled.ts'

const { workerName } = config
let harness: Harness
beforeEach(async () => {
  harness = await withRelease()
})
afterEach(() => harness.end())

describe('a process that is killed', () => {
  const moments = [
    ['before the upload', { command: 'versions upload' }, 'started', { [first]: 100 }],
    [
      'before the version is deployed at 0 %',
      { command: 'versions deploy', argument: '@0%' },
      'moving',
      { [first]: 100 },
    ],
    ['before 10 %', { command: 'versions deploy', argument: '@10%' }, 'moving', { [second]: 0, [first]: 100 }],
    [
      'before 100 %',
      { command: 'versions deploy', argument: `${second}@100%` },
      'moving',
      { [second]: 10, [first]: 90 },
    ],
    ['before the triggers', { command: 'triggers deploy' }, 'proven', { [second]: 100 }],
  ] as const

  it.each(sampled(moments, 5, 2))(
    '%s can be run again',
    async (_, where, phase, traffic) => {
      harness.fake.addFault({ ...where, killsParent: true, times: 1 })
      expect(await runKilled(harness)).toBe('SIGKILL')
      expect(await harness.state()).toMatchObject({ phase, before: [{ versionId: first, percentage: 100 }] })
      expect(harness.traffic()).toEqual(traffic)
      const again = await harness.run()
      expect(harness.traffic()).toEqual({ [again]: 100 })
      expect([second, third]).toContain(again)
      expect(await harness.state()).toMatchObject({ phase: 'done' })
      // What an interrupted deployment had proven stays; anything else went back first.
      const before = phase === 'proven' ? second : first
      expect(await harness.state()).toMatchObject({ before: [{ versionId: before, percentage: 100 }] })
    },
    60_000,
  )
})

describe.runIf(runsLongProofs())('a machine without the file of an interrupted deployment', () => {
  it('changes nothing, and names the command that brings back what served before', async () => {
    const argument = `${second}@100%`
    harness.fake.addFault({ command: 'versions deploy', argument, killsParent: true, times: 1 })
    await runKilled(harness)
    await rm(harness.store.file)
    await expect(harness.run()).rejects.toThrow(
      `\`npm run rollback -- --env staging\` brings ${first} back, which served before it.`,
    )
    expect(harness.traffic()).toEqual({ [second]: 10, [first]: 90 })
    await rollback(harness.ports(), { withOldSecrets: false })
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(await harness.run()).toBe(third)
  }, 60_000)
})

describe('the file of the last deployment', () => {
  it.runIf(runsLongProofs())(
    'applies no triggers where another deployment followed',
    async () => {
      harness.fake.addFault({ command: 'triggers deploy', killsParent: true, times: 1 })
      await runKilled(harness)
      const state = await harness.state()
      if (state === null) throw new Error('no state')
      await harness.store.save({ ...state, crons: ['0 4 * * *'] })
      const shares = [{ versionId: first, percentage: 100 }]
      await harness.cloudflare.setTraffic(shares, 'by hand')
      const before = harness.fake.account().workers[workerName]?.crons
      await expect(harness.run({ preflight: () => Promise.reject(new Error('stop')) })).rejects.toThrow('stop')
      expect(harness.fake.account().workers[workerName]?.crons).toEqual(before)
      expect(harness.printed.join('\n')).toContain('another one followed')
    },
    60_000,
  )

  it.runIf(runsLongProofs())(
    'has the crons that an interrupted deployment still has to apply',
    async () => {
      harness.fake.addFault({ command: 'triggers deploy', killsParent: true, times: 1 })
      await runKilled(harness)
      const crons = ['0 4 * * *']
      const state = await harness.state()
      if (state === null) throw new Error('no state')
      await harness.store.save({ ...state, crons })
      const preflight = () => Promise.reject(new Error('stop'))
      await expect(harness.run({ preflight })).rejects.toThrow('stop')
      expect(harness.fake.account().workers[workerName]?.crons).toEqual(crons)
      expect(await harness.state()).toMatchObject({ phase: 'done' })
    },
    60_000,
  )

  it.each(['', '{', '{"format":1}', '{"format":2,"environment":"staging"}', 'null'])(
    'stops nothing if it is damaged (%j) while one version serves, and is kept',
    async (text) => {
      await writeFile(harness.store.file, text)
      expect(await harness.run()).toBe(second)
      expect(await readFile(`${harness.store.file}.damaged`, 'utf8')).toBe(text)
    },
  )

  it('stops a deployment if it is damaged while two versions serve', async () => {
    const other = await harness.cloudflare.uploadVersion({ tag: 'x', message: 'x' })
    const shares = [
      { versionId: first, percentage: 60 },
      { versionId: other, percentage: 40 },
    ]
    await harness.cloudflare.setTraffic(shares, 'interrupted')
    await writeFile(harness.store.file, 'damaged')
    await expect(harness.run()).rejects.toThrow(
      'Say which one is right with `npm run rollback -- --env staging --to VERSION`',
    )
    expect(harness.traffic()).toEqual({ [first]: 60, [other]: 40 })
  })

  it('is not believed if it names another environment', async () => {
    await harness.run()
    const text = await readFile(harness.store.file, 'utf8')
    await writeFile(harness.store.file, text.replace('"environment": "staging"', '"environment": "production"'))
    expect(await harness.store.load()).toMatchObject({ kind: 'damaged' })
  })
})

describe('the lock of a deployment', () => {
  const hold = (holder: unknown) => writeFile(join(harness.folder, 'staging.lock'), JSON.stringify(holder))

  it('is taken over from a process that ended', async () => {
    await hold({ pid: 2 ** 30, host: hostname() })
    expect(await harness.run()).toBe(second)
  })

  it.each([{ pid: process.pid, host: hostname() }, { pid: 1, host: 'another-machine' }, 'damaged'])(
    'is not taken over from %j',
    async (holder) => {
      await hold(holder)
      await expect(harness.run()).rejects.toThrow('Another deployment runs')
    },
  )
})
