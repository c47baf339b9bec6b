// Waits for the rate limiter between the pages of one run. Giving up would discard the pages read so far, so the run
// keeps its lease and waits a bounded time. It does not wait for the first page.
import { renewLease } from '../db/sync/work.ts'
import type { PlaidResult } from '../plaid/client.ts'
import type { Run } from './run.ts'

/** Limits apply to a minute, so a page is admitted within one. A longer wait means that Plaid itself rejected calls. */
const longestWaitSeconds = 65
/** All waits of a run together. Cloudflare ends a queue invocation after 15 minutes. */
const mostWaitedSeconds = 480
/** Less than the lease's two minutes minus the 90 s that a call may take. */
const renewSeconds = 20

/** Returns a function that requests a page, waiting if needed. It returns null if the lease was lost meanwhile. */
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
