// wrangler.toml and the code agree: every cron has a job and every queue a consumer, in every environment, as wrangler
// itself reads the file.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import * as z from 'zod'
import { deployedEnvironments } from '../../../src/dev/lib/bundle.ts'
import { crons, jobFor, knownCrons } from '../../../src/cron/schedule.ts'
import { cronSchedules } from '../../../src/dev/stack/crons.ts'
import { AppError } from '../../../src/errors.ts'
import { consumeSync } from '../../../src/queue/consumer.ts'
import { consumeDeadLetters } from '../../../src/queue/dead-letter.ts'
import { consumerFor } from '../../../src/queue/route.ts'

const deployed = z.object({
  analytics_engine_datasets: z.array(z.object({ binding: z.string(), dataset: z.string().optional() })),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  migrations: z.array(z.object({ tag: z.string(), new_sqlite_classes: z.array(z.string()) })),
  triggers: z.object({ crons: z.array(z.string()) }),
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: z.string() })),
    consumers: z.array(
      z.object({
        queue: z.string(),
        max_batch_size: z.number(),
        max_retries: z.number(),
        max_concurrency: z.number().nullish(),
        dead_letter_queue: z.string().optional(),
      }),
    ),
  }),
})

const environments = [undefined, 'staging', 'production'] as const
const read = (env: (typeof environments)[number]) =>
  deployed.parse(readConfig({ config: 'wrangler.toml', env }, { hideWarnings: true }))

/** The minutes in which an hourly or daily cron fires: `17`, `2-57/5`. */
function minutesOf(cron: string): number[] {
  const [, from = '', , to = from, , step = '1'] =
    /^(\d+)(-(\d+))?(\/(\d+))? (?:\*|\d+) \* \* (?:\*|SUN)$/.exec(cron) ?? []
  const minutes: number[] = []
  for (let minute = Number(from); minute <= Number(to); minute += Number(step)) minutes.push(minute)
  return minutes
}

const unknown = (what: string, act: (name: string) => unknown) => {
  try {
    act(what)
    return null
  } catch (error) {
    return error instanceof AppError ? error.code : 'another error'
  }
}

describe('a cron string', () => {
  it('keeps its job for one release after another string replaced it', () => {
    expect(jobFor('0 4 * * *', { '0 4 * * *': '41 3 * * *' }).name).toBe('retention')
  })

  it('is unknown if no string replaced it, or if it was never declared', () => {
    expect(unknown('0 4 * * *', (cron) => jobFor(cron, { '0 4 * * *': '0 5 * * *' }))).toBe('misconfigured')
    expect(unknown('toString', (cron) => jobFor(cron, { '0 4 * * *': '41 3 * * *' }))).toBe('misconfigured')
  })

  it('is never both current and replaced, and always has a job', () => {
    expect(knownCrons.slice(0, crons.length)).toEqual(crons)
    expect(new Set(knownCrons).size).toBe(knownCrons.length)
    for (const cron of knownCrons) expect(jobFor(cron).name).toMatch(/^[a-z]+$/)
  })
})

describe.each(environments)('the environment %s', (environment) => {
  const {
    triggers,
    queues,
    durable_objects: objects,
    migrations,
    analytics_engine_datasets: datasets,
  } = read(environment)

  it('every cron has a job, and every job a cron', () => {
    expect(triggers.crons.toSorted()).toEqual([...crons].toSorted())
    for (const cron of triggers.crons) expect(jobFor(cron).name).toMatch(/^[a-z]+$/)
  })

  it('fires no cron but the one of each minute at :00 or :05, and no two others in the same minute', () => {
    const minutes = triggers.crons.filter((cron) => cron !== '* * * * *').flatMap(minutesOf)
    expect(minutes).toHaveLength(16)
    expect(new Set(minutes).size).toBe(minutes.length)
    for (const minute of minutes) expect(minute % 5).not.toBe(0)
  })

  it('every queue that is sent to is consumed, and what the queue of syncs cannot deliver is consumed as a dead letter', () => {
    expect(queues.producers.map(({ binding }) => binding)).toEqual(['SYNC_QUEUE', 'EVENTS_QUEUE'])
    const consumed = new Map(queues.consumers.map((consumer) => [consumer.queue, consumer]))
    for (const { queue } of queues.producers) {
      expect(consumerFor(queue)).toBe(consumeSync)
      expect(consumed.get(queue)?.max_batch_size).toBe(1)
      // The rows of events stay due: a message that is lost is sent again by the cron.
      if (queue.endsWith('-events')) continue
      const dead = consumed.get(queue)?.dead_letter_queue ?? 'none'
      expect(consumed.has(dead)).toBe(true)
      expect(consumerFor(dead)).toBe(consumeDeadLetters)
    }
  })

  it('what counts is bound, and keeps what it counts in SQLite', () => {
    expect(objects.bindings).toEqual([
      { name: 'RATE_LIMITER', class_name: 'RateLimiter' },
      { name: 'PLAID_QUOTA', class_name: 'PlaidQuota' },
      { name: 'MONITOR', class_name: 'Monitor' },
      { name: 'LIVE', class_name: 'Live' },
    ])
    expect(migrations).toEqual([
      { tag: 'rate-limiter', new_sqlite_classes: ['RateLimiter'] },
      { tag: 'plaid-quota', new_sqlite_classes: ['PlaidQuota'] },
      { tag: 'monitor', new_sqlite_classes: ['Monitor'] },
      { tag: 'live', new_sqlite_classes: ['Live'] },
    ])
  })

  it('a deployed environment has a dataset for the history of its metrics', () => {
    const bound = datasets.map(({ binding, dataset }) => `${binding} ${dataset}`)
    expect(bound).toEqual(environment === undefined ? [] : [`METRICS wealthnavigator_${environment}_metrics`])
  })

  it('every consumer has a queue with a producer', () => {
    const sent = queues.producers.map(({ queue }) => queue)
    const filled = [...sent, ...queues.consumers.map((consumer) => consumer.dead_letter_queue)]
    for (const { queue } of queues.consumers) expect(filled).toContain(queue)
  })

  it('a sync runs in a separate invocation', () => {
    const sync = queues.consumers.find(({ queue }) => queue === queues.producers[0]?.queue)
    expect(sync?.max_batch_size).toBe(1)
    // Cloudflare's largest number.
    expect(sync?.max_concurrency).toBe(250)
  })
})

describe('the environments', () => {
  it('are those whose deployment npm run bundle tries', async () => {
    const toml = await readFile('wrangler.toml', 'utf8')
    const named = new Set([...toml.matchAll(/^\[{1,2}env\.([a-z]+)/gm)].map(([, name]) => name))
    expect(named).toEqual(new Set(deployedEnvironments))
  })

  it('share no queue', () => {
    const names = environments.flatMap((environment) => read(environment).queues.consumers.map(({ queue }) => queue))
    expect(new Set(names).size).toBe(names.length)
  })

  it('have the crons that the local stack fires, under the names of their jobs', () => {
    for (const [name, cron] of Object.entries(cronSchedules)) expect(jobFor(cron).name).toBe(name)
    expect(Object.values(cronSchedules).toSorted()).toEqual([...crons].toSorted())
  })
})

describe('a cron that is not known', () => {
  it.each([
    '',
    '*/1 * * * *',
    '0 * * * *',
    '*/5 * * * *',
    '19 * * * * ',
    'sweep',
    'constructor',
    '__proto__',
    'toString',
  ])('%j throws', (cron) => {
    expect(unknown(cron, jobFor)).toBe('misconfigured')
  })
})

describe('a queue that is not known', () => {
  it.each([
    '',
    'wealthnavigator',
    'wealthnavigator-sync-dead-dead',
    'xwealthnavigator-sync',
    'wealthnavigator-sync2',
    'wealthnavigator-sync\n',
    'wealthnavigator-Production-sync',
    'constructor',
  ])('%j throws', (queue) => {
    expect(unknown(queue, consumerFor)).toBe('misconfigured')
  })
})
