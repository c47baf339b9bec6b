// Runs the parts of a cron one after the other. A part that fails, or takes longer than its budget, does not keep the next
// one from running.
import type { Ctx } from '../context.ts'
import { within } from '../deadline.ts'

export interface Part {
  readonly name: string
  /** The next part begins after so long at the latest; what the part is waiting for then is not cancelled. */
  readonly budgetMs: number
  readonly run: (ctx: Ctx) => Promise<unknown>
}

/** @throws AggregateError when a part failed; every failure was logged, and every part was begun */
export async function runParts(ctx: Ctx, parts: readonly Part[]): Promise<void> {
  const failures: unknown[] = []
  for (const { name, budgetMs, run } of parts)
    try {
      await within(budgetMs, run(ctx))
    } catch (error) {
      ctx.log.error('cron_part_failed', { job: name, error })
      failures.push(error)
    }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} of ${parts.length} parts failed`, { cause: failures[0] })
}
