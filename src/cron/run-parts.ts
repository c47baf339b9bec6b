// Runs the parts of a cron job one after the other. A part that fails or exceeds its time does not prevent the next.
import type { Ctx } from '../context.ts'
import { withTimeout } from '../timeout.ts'

export interface Part {
  readonly name: string
  /** After this time the next part starts; the part itself is not cancelled. */
  readonly budgetMs: number
  readonly run: (ctx: Ctx) => Promise<unknown>
}

/**
 * Logs a failure even if it happens after the part's time.
 * @throws AggregateError if a part failed or exceeded its time; each failure was logged and every part was started
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

/** Logs the part's failure, also after its time, when nothing else awaits the part. */
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
