// The next page of a loop, when the budget for it is spent: giving up would throw away every page before, so the run
// keeps its lease and waits. Never waits for the first page, and never for long.
import { renewLease } from '../db/sync/work.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { Run } from './run.ts'

/** An item's limit is by the minute, so a page's turn comes within one. What takes longer was refused by Plaid. */
const longestWaitSeconds = 65
/** All waiting of a run together; an invocation of a queue ends after 15 minutes. */
const mostWaitedSeconds = 480
/** Well under the lease's two minutes, with Plaid's 90 s to come. */
const renewSeconds = 20

/** Asks for page after page of one run. A null is a lease that was lost meanwhile. */
export function createPager(
  run: Run,
): <Value>(page: number, ask: () => Promise<PlaidResult<Value>>) => Promise<PlaidResult<Value> | null> {
  const { wait, random, jobs } = run.ctx.services
  let waited = 0
  return async (page, ask) => {
    for (;;) {
      const result = await ask()
      if (page === 0 || result.ok || result.failure.class !== 'deferred') return result
      const seconds = result.failure.retryAfterSeconds ?? longestWaitSeconds
      if (seconds > longestWaitSeconds || waited + seconds > mostWaitedSeconds) return result
      waited += seconds
      for (let left = seconds + random(); left > 0; left -= renewSeconds) {
        await wait(Math.min(left, renewSeconds) * 1000)
        if (!(await renewLease(jobs, run.lease))) return null
      }
    }
  }
}
