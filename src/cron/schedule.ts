// Cron string → job. A string that is not here throws: it must never fall into a job by accident.
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { remindOfLosses } from '../items/remind-of-losses.ts'
import { reconcile } from '../link/reconcile.ts'
import { markStaleProducts, sweep } from '../sync/sweep.ts'
import { type Part, runParts } from './run-parts.ts'

/**
 * The sweep comes first: it needs no answer of Plaid's, and the reconciler can wait for many. Both budgets together are
 * below the 15 minutes that Cloudflare gives a cron.
 */
const heals: readonly Part[] = [
  { name: 'sweep', budgetMs: 4 * 60_000, run: sweep },
  { name: 'reconcile', budgetMs: 8 * 60_000, run: reconcile },
]

async function refresh(ctx: Ctx): Promise<void> {
  await remindOfLosses(ctx)
  await markStaleProducts(ctx)
}

const jobs: Readonly<Record<string, { readonly name: string; readonly run: (ctx: Ctx) => Promise<unknown> }>> = {
  '2-57/5 * * * *': { name: 'sweep', run: (ctx) => runParts(ctx, heals) },
  '19 * * * *': { name: 'sync', run: refresh },
}

/** Every cron string that has a job: those of wrangler.toml. */
export const crons: readonly string[] = Object.keys(jobs)

/** The job of a cron trigger of wrangler.toml. */
export function jobFor(cron: string): { readonly name: string; readonly run: (ctx: Ctx) => Promise<unknown> } {
  const job = Object.hasOwn(jobs, cron) ? jobs[cron] : undefined
  if (job === undefined)
    throw new AppError('misconfigured', 'An unknown cron trigger.', { reason: 'cron string without a job' })
  return job
}
