// The whole way of a deployment, over a wrangler and an edge that are as strict as Cloudflare's.
import { afterEach, describe, expect, it } from 'vitest'
import { config, createHarness, first, type Harness, second, withRelease } from './harness.ts'

let harness: Harness
afterEach(() => harness.end())

/** The calls that change something. */
const changes = async ({ fake }: Harness) =>
  (await fake.calls()).filter((call) => /^(?:deploy |versions upload|versions deploy|triggers|rollback)/.test(call))

describe('a deployment', () => {
  it('moves the traffic in steps, each proven, and replaces the triggers last', async () => {
    harness = await withRelease()
    expect(await harness.run()).toBe(second)
    expect((await changes(harness)).slice(1)).toEqual([
      'versions upload --strict --assets FOLDER --tag v1.2.3 --message a release',
      `versions deploy ${second}@0% ${first}@100% --message deploy: 0 %, before ${first} --yes`,
      `versions deploy ${second}@10% ${first}@90% --message deploy: 10 %, before ${first} --yes`,
      `versions deploy ${second}@100% --message deploy: 100 %, before ${first} --yes`,
      'triggers deploy',
    ])
    expect(harness.steps).toEqual(['preflight', `smoke ${second}`, 'smoke all'])
    expect(harness.traffic()).toEqual({ [second]: 100 })
    expect(await harness.state()).toMatchObject({
      phase: 'done',
      version: second,
      before: [{ versionId: first, percentage: 100 }],
      cronsBefore: config.crons,
    })
  })

  it('prints the traffic table from before, and where it is kept', async () => {
    harness = await withRelease()
    await harness.run()
    expect(harness.printed.join('\n')).toContain(`before: ${first} at 100 %. Kept in ${harness.store.file}`)
  })

  it('migrates before it uploads, and not where nothing is pending', async () => {
    harness = await withRelease()
    const migrations = [{ name: '0050_note', sql: 'ALTER TABLE items ADD COLUMN note text' }]
    await harness.run({ pending: () => Promise.resolve({ isEmpty: false, migrations }) })
    expect(harness.steps.slice(0, 3)).toEqual(['preflight', 'migrate', `smoke ${second}`])
  })

  it('waits until the override header is applied: it never takes the old version for the new one', async () => {
    harness = await withRelease()
    harness.edge.ignored = 5
    await harness.run()
    expect(harness.edge.served.slice(0, 6)).toEqual([
      ...Array.from({ length: 5 }, () => `${first} /ready`),
      `${second} /ready`,
    ])
  })

  it('sends its own requests where no user does, at least as many as a judgement needs', async () => {
    harness = await withRelease()
    await harness.run()
    const own = harness.edge.served.filter((request) => request === `${second} /ready`)
    // 31 looks in each of two steps, and the ones that wait for the version.
    expect(own.length).toBeGreaterThanOrEqual(62)
    expect(own.length).toBeLessThan(80)
  })

  it('goes at once where no version served before, with the triggers', async () => {
    harness = await createHarness()
    await harness.cloudflare.putSecrets(Object.fromEntries(config.requiredSecrets.map((name) => [name, name])))
    expect(await harness.run()).toBe(first)
    expect(await changes(harness)).toEqual(['deploy --assets FOLDER --tag v1.2.3 --message a release'])
    expect(harness.traffic()).toEqual({ [first]: 100 })
    expect(await harness.state()).toMatchObject({ phase: 'done', before: null, version: first })
    expect(harness.steps).toEqual(['preflight', 'smoke all'])
  })

  it('goes at once over a Durable Object migration, and only where that is said', async () => {
    harness = await withRelease()
    const set = (tag: string | null) =>
      harness.fake.change((account) => {
        const worker = account.workers[config.workerName]
        if (worker === undefined) throw new Error('no Worker')
        worker.migration_tag = tag
        for (const version of worker.versions) version.migration_tag = tag
      })
    set('rate-limiter')
    await expect(harness.run()).rejects.toThrow('--at-once')
    expect(harness.steps).toEqual(['preflight'])
    expect(harness.traffic()).toEqual({ [first]: 100 })
    // Where Cloudflare does not say which migration a version has, the upload finds it.
    set(null)
    await expect(harness.run()).rejects.toThrow('--at-once')
    expect(await harness.run({}, { atOnce: true })).toBe(second)
    expect(harness.traffic()).toEqual({ [second]: 100 })
  })
})

describe('the start of a deployment', () => {
  const expectUntouched = async (message: string | RegExp, ...args: Parameters<Harness['run']>) => {
    const before = await changes(harness)
    await expect(harness.run(...args)).rejects.toThrow(message)
    expect(await changes(harness)).toEqual(before)
    expect(harness.steps).not.toContain('migrate')
  }

  it('is refused where the preflight fails', async () => {
    harness = await withRelease()
    await expectUntouched('no backup', { preflight: () => Promise.reject(new Error('no backup')) })
  })

  it('is refused where a migration takes something away, unless that is named', async () => {
    harness = await withRelease()
    const migrations = [
      { name: '0050_note', sql: 'ALTER TABLE items ADD COLUMN note text' },
      { name: '0051_drop', sql: 'ALTER TABLE items DROP COLUMN note_old' },
    ]
    const pending = () => Promise.resolve({ isEmpty: false, migrations })
    await expectUntouched(/0051_drop: drops a column/, { pending })
    await expectUntouched(/0051_drop/, { pending }, { allowContract: ['0050_note'] })
    expect(await harness.run({ pending }, { allowContract: ['0051_drop'] })).toBe(second)
  })

  it('is refused where the new code has no job for a cron that fires', async () => {
    harness = await withRelease()
    const liveCrons = () => Promise.resolve([...config.crons, '0 4 * * *'])
    await expectUntouched('"0 4 * * *"', { liveCrons })
    expect(await harness.run({ liveCrons, knownCrons: [...config.crons, '0 4 * * *'] })).toBe(second)
  })

  it('is refused while another gradual deployment is not finished', async () => {
    harness = await withRelease()
    const other = await harness.cloudflare.uploadVersion({ tag: 'x', message: 'x' })
    await harness.cloudflare.setTraffic(
      [
        { versionId: first, percentage: 50 },
        { versionId: other, percentage: 50 },
      ],
      'by hand',
    )
    await expectUntouched('not finished')
  })

  it('is refused while another one runs', async () => {
    harness = await withRelease()
    let inside: Promise<unknown> = Promise.resolve()
    await harness.run({
      preflight: () => {
        inside = harness.run().then(
          () => 'deployed twice',
          (error: unknown) => String(error),
        )
        return inside.then(() => undefined)
      },
    })
    expect(await inside).toContain('Another deployment runs')
    expect(harness.traffic()).toEqual({ [second]: 100 })
  })
})
