// Step 4: the Worker is killed, the bank continues without it, and every webhook is lost. After a restart the sweep
// finds the changes.
import type { Changed } from '../../lib/bank-client.ts'
import { pollUntil } from '../../lib/poll.ts'
import type { Demo, Finding, Linked } from '../context.ts'
import { settle } from '../settle.ts'
import { lastCheck, sweepUntilEqual, untilSweepIsDue } from '../sweep.ts'

/** How long the first sweep after the start may take until the changes are stored. */
const startSweepMs = 15_000
/** A Worker that has made no call for this long has finished its work. */
const quietMs = 3_000

/** For items whose bank has transactions. */
export async function crash(demo: Demo, items: readonly Linked[]): Promise<Finding[]> {
  const { bank, worker, say } = demo
  await untilQuiet(demo)
  const checkedAt = await lastCheck(items)
  const lostBefore = await bank.lostWebhooks()
  await bank.loseWebhooks(true)
  await worker.kill()
  say('the Worker is killed')
  const changes: Changed[] = []
  for (const { plaidItemId } of items)
    changes.push(await bank.change(plaidItemId, '{"add": 20, "modify": 5, "remove": 5}'))
  const lost = (await bank.lostWebhooks()) - lostBefore
  // Then the first sweep is due for these items, as after any longer outage.
  await untilSweepIsDue(demo, checkedAt)
  await worker.restart()
  await bank.loseWebhooks(false)
  say(`the Worker is back; ${lost} webhooks were lost`)
  if (lost === 0) throw new Error('No webhook was lost, so nothing was shown.')
  const soon = { ...demo, timeoutMs: Math.min(demo.timeoutMs, startSweepMs) }
  const findings = await Promise.all(
    items.map((linked, index) =>
      settle(soon, linked, `${summaryOf(changes[index])} while the Worker was dead, swept at the start`, [
        'transactions',
      ]),
    ),
  )
  // The stack's sweep may have run just before the kill, and a run that was killed holds its lease for two minutes.
  const late = items.filter((_, index) => findings[index]?.differences.length !== 0)
  return late.length === 0 ? findings : await sweepUntilEqual(demo, items, 'late after the Worker was dead')
}

const summaryOf = (changed: Changed | undefined): string =>
  `${changed?.added.length ?? 0} added, ${changed?.modified.length ?? 0} modified, ${changed?.removed.length ?? 0} removed`

/** Several webhooks report one change, so a run can still be active when the data are already stored. */
async function untilQuiet(demo: Demo): Promise<void> {
  let seen = { calls: await demo.bank.calls(), since: performance.now() }
  await pollUntil(
    demo,
    async () => {
      const calls = await demo.bank.calls()
      if (calls !== seen.calls) seen = { calls, since: performance.now() }
    },
    () => performance.now() - seen.since > quietMs,
  )
}
