// Runs the parts of a cron one after the other. A part that fails, or takes longer than its budget, does not keep the next
// one from running.
import type { Ctx } from '../context.ts'
import { withTimeout } from '../timeout.ts'

export interface Part {
  readonly name: string
  /** The next part begins after so long at the latest; the part itself is not cancelled. */
  readonly budgetMs: number
  readonly run: (ctx: Ctx) => Promise<unknown>
}

/**
 * A failure that comes after the part's budget, and even after the other parts, is logged when it comes.
 * @throws AggregateError when a part failed or outlasted its budget; each was logged, and every part was begun
 */
export async function runParts(ctx: Ctx, parts: readonly Part[]): Promise<void> {
  const failures: unknown[] = []
  for (const { name, budgetMs, run } of parts)
    try {
      await withTimeout(budgetMs, logged(ctx, name, run), () => {
        throw outlasted(ctx, name, budgetMs)
      })
    } catch (error) {
      failures.push(error)
    }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${parts.length} parts failed`, { cause: failures[0] })
}

/** Logs the part's failure whenever it comes: after the budget, nothing else waits for the part. */
async function logged(ctx: Ctx, name: string, run: Part['run']): Promise<unknown> {
  try {
    return await run(ctx)
  } catch (error) {
    ctx.log.error('cron_part_failed', { job: name, error })
    throw error
  }
}

function outlasted(ctx: Ctx, name: string, budgetMs: number): Error {
  const error = new Error(`no end within ${budgetMs} ms`)
  ctx.log.error('cron_part_failed', { job: name, error })
  return error
}
