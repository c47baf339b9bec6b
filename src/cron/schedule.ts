// Maps cron strings to jobs. An unknown string throws.
import { evaluateAlarms } from '../alarms/evaluate-alarms.ts'
import { chainAudit } from '../audit/chain.ts'
import { reportOverdueBackup } from '../backup/report-overdue.ts'
import type { Ctx } from '../context.ts'
import { readFreeze } from '../db/operations/freeze.ts'
import { AppError } from '../errors.ts'
import { enqueueDueEvents } from '../events/enqueue-due.ts'
import { takeGaugesWhenDue } from '../gauges/take-gauges.ts'
import { remindOfLosses } from '../items/remind-of-losses.ts'
import { reconcile } from '../link/reconcile.ts'
import { reportMissingPlaidUsers } from '../link/report-missing-plaid-users.ts'
import { markStaleProducts, sweep } from '../sync/sweep.ts'
import { copyErasures, reportUncopiedErasures } from '../privacy/copy-erasures.ts'
import { continueErasures } from '../privacy/erase.ts'
import { purgeExpired } from '../retention/purge.ts'
import { type Part, runParts } from './run-parts.ts'

/**
 * The sweep comes first, because it does not call Plaid. All budgets together are below the 15 minutes that Cloudflare
 * gives a cron trigger.
 */
const heals: readonly Part[] = [
  { name: 'sweep', budgetMs: 4 * 60_000, run: sweep },
  { name: 'reconcile', budgetMs: 8 * 60_000, run: reconcile },
  { name: 'erasures', budgetMs: 90_000, run: continueErasures },
  { name: 'erasure_copies', budgetMs: 60_000, run: copyErasures },
]

const refreshes: readonly Part[] = [
  { name: 'losses', budgetMs: 60_000, run: remindOfLosses },
  { name: 'plaid_users', budgetMs: 60_000, run: reportMissingPlaidUsers },
  { name: 'stale', budgetMs: 8 * 60_000, run: markStaleProducts },
  { name: 'backups', budgetMs: 60_000, run: reportOverdueBackup },
  { name: 'uncopied_erasures', budgetMs: 60_000, run: reportUncopiedErasures },
]

/** The chain has a separate heartbeat: what it guarantees does not depend on the other parts of the job. */
async function chain(ctx: Ctx): Promise<void> {
  await chainAudit(ctx)
  const labels = { job: 'chain' }
  ctx.services.metrics.gauge('wn_cron_last_success_timestamp_seconds', ctx.now().getTime() / 1000, labels)
}

/**
 * Each minute: a row that is not chained yet can be deleted without a trace. The alarms come last, and run although the
 * chain and the gauges fail: the database may be what fails.
 */
const audits: readonly Part[] = [
  { name: 'chain', budgetMs: 50_000, run: chain },
  { name: 'events', budgetMs: 60_000, run: enqueueDueEvents },
  { name: 'gauges', budgetMs: 60_000, run: takeGaugesWhenDue },
  { name: 'alarms', budgetMs: 50_000, run: evaluateAlarms },
]

const purges: readonly Part[] = [
  { name: 'retention', budgetMs: 11 * 60_000, run: (ctx) => purgeExpired(ctx, 10 * 60_000) },
]

/** Imported dynamically: the code for backups is loaded once a day, and no request waits for it. */
const saves: readonly Part[] = [
  {
    name: 'backup',
    budgetMs: 14.5 * 60_000,
    run: async (ctx) => await (await import('../backup/run-backup.ts')).runBackup(ctx),
  },
]

const cleans: readonly Part[] = [
  {
    name: 'cleanup',
    budgetMs: 14 * 60_000,
    run: async (ctx) => await (await import('../backup/cleanup-bucket.ts')).cleanupBackups(ctx),
  },
]

interface Job {
  readonly name: string
  readonly run: (ctx: Ctx) => Promise<unknown>
  /** Whether it runs during a freeze too. */
  readonly whileFrozen?: true
}

const jobs: Readonly<Record<string, Job>> = {
  // What an attacker deletes during an incident must leave a trace.
  '* * * * *': { name: 'audit', run: (ctx) => runParts(ctx, audits), whileFrozen: true },
  '2-57/5 * * * *': { name: 'sweep', run: (ctx) => runParts(ctx, heals) },
  '19 * * * *': { name: 'sync', run: (ctx) => runParts(ctx, refreshes) },
  '11 2 * * *': { name: 'backup', run: (ctx) => runParts(ctx, saves) },
  // Cloudflare's 1 is Sunday, as in no other cron.
  '13 3 * * SUN': { name: 'cleanup', run: (ctx) => runParts(ctx, cleans) },
  '41 3 * * *': { name: 'retention', run: (ctx) => runParts(ctx, purges) },
}

/** Every cron string that has a job: those of wrangler.toml. */
export const crons: readonly string[] = Object.keys(jobs)

/**
 * The cron strings of the previous release that this one replaced, and what replaced them. A deployment replaces the
 * triggers last, so Cloudflare fires the old strings at the new code for a while. Remove them in the next release.
 */
const retired: Readonly<Record<string, string>> = {}

/** Every cron string that this code has a job for. */
export const knownCrons: readonly string[] = [...crons, ...Object.keys(retired)]

/** The result of a run that a freeze skipped. */
export const skipped = Symbol('skipped')

/**
 * Runs the job unless the deployment is frozen.
 * @throws AppError `unavailable` when the switch cannot be read; nothing was run then
 */
async function runUnlessFrozen(ctx: Ctx, { name, run, whileFrozen }: Job): Promise<unknown> {
  if (whileFrozen === true) return await run(ctx)
  const { state } = await readFreeze(ctx.services.jobs)
  if (state === 'off') return await run(ctx)
  ctx.log.warn('cron_skipped_frozen', { job: name, reason: state })
  return skipped
}

/** The job of a cron trigger of this or the previous release. While the deployment is frozen, its result is `skipped`. */
export function jobFor(cron: string, replaced = retired): Job {
  const current = Object.hasOwn(replaced, cron) ? (replaced[cron] ?? '') : cron
  const job = Object.hasOwn(jobs, current) ? jobs[current] : undefined
  if (job === undefined)
    throw new AppError('misconfigured', 'An unknown cron trigger.', { reason: 'cron string without a job' })
  return { name: job.name, run: (ctx) => runUnlessFrozen(ctx, job) }
}
