// Crons and queue batches of a Worker that cannot run them: the log names the reason, and the platform gets the
// failure.
import { createExecutionContext, createMessageBatch, createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { crons } from '../../../src/cron/schedule.ts'
import type { Bindings } from '../../../src/services.ts'
import worker from '../../../src/worker.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const working: Bindings = { ...env, SYNC_QUEUE: { sendBatch: () => Promise.resolve() } }
const bindings: Bindings = { ...working, RATE_LIMITS: '{"global_hour":100000}' }
const wrongQuota = expect.stringMatching(/^RATE_LIMITS must be .*: global_hour must be/)

/** The error that `run` throws, and the lines that it logs. */
async function failureOf(run: () => Promise<void>): Promise<{ code: unknown; lines: unknown[] }> {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {})
  const thrown: unknown = await run().then(
    () => null,
    (reason: unknown) => reason,
  )
  const lines = error.mock.calls.map(([line]): unknown => JSON.parse(String(line)))
  return { code: thrown instanceof Error && 'code' in thrown ? thrown.code : null, lines }
}

const scheduled = (cron: string, variables: Bindings) =>
  worker.scheduled(createScheduledController({ cron }), variables, createExecutionContext())

describe('a job that cannot start', () => {
  it('logs which variable stops a cron, and fails', async () => {
    const cron = crons[0] ?? ''
    expect(await failureOf(() => scheduled(cron, bindings))).toMatchObject({
      code: 'misconfigured',
      lines: [{ event: 'job_not_started', actor: `cron:${cron}`, error: { reason: wrongQuota } }],
    })
  })

  it('logs which variable stops a queue batch, and fails', async () => {
    const batch = createMessageBatch('wealthnavigator-sync', [])
    expect(await failureOf(() => worker.queue(batch, bindings, createExecutionContext()))).toMatchObject({
      code: 'misconfigured',
      lines: [{ event: 'job_not_started', actor: 'queue:wealthnavigator-sync', error: { reason: wrongQuota } }],
    })
  })

  it('logs a cron string and a queue that have no job, and fails', async () => {
    expect(await failureOf(() => scheduled('1 1 1 1 1', working))).toMatchObject({
      code: 'misconfigured',
      lines: [{ actor: 'cron:1 1 1 1 1', error: { reason: 'cron string without a job' } }],
    })
    vi.restoreAllMocks()
    const batch = createMessageBatch('another-queue', [])
    expect(await failureOf(() => worker.queue(batch, working, createExecutionContext()))).toMatchObject({
      code: 'misconfigured',
      lines: [{ actor: 'queue:another-queue', error: { reason: 'queue without a consumer' } }],
    })
  })
})
