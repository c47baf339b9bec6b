// Triggers the sweep as Cloudflare would, and waits for its results.
import { setTimeout as delay } from 'node:timers/promises'
import type { Demo, Finding, Linked } from './context.ts'
import { settle } from './settle.ts'

/** A sweep asks Plaid about an item at most once in this time. */
const betweenChecksMs = 5000
const marginMs = 500
/** How long one sweep may take until the changes are stored; after this another one is triggered. */
const oneSweepMs = 15_000
const mostSweeps = 4

/** When Plaid was last asked about any of the items, in milliseconds since 1970. */
export async function lastCheck(items: readonly Linked[]): Promise<number> {
  const checks = await Promise.all(
    items.map(async ({ api, itemId }) => {
      const { products } = await api.item(itemId)
      return Date.parse(products.find(({ product }) => product === 'item')?.last_synced_at ?? '') || 0
    }),
  )
  return Math.max(0, ...checks)
}

/** Waits until a sweep may ask about items that were last checked at this time. */
export async function untilSweepIsDue({ say, signal }: Demo, checkedMs: number): Promise<void> {
  const waitMs = checkedMs + betweenChecksMs + marginMs - Date.now()
  if (waitMs <= 0) return
  say(`${Math.ceil(waitMs / 1000)} s until a sweep checks these items again`)
  await delay(waitMs, undefined, { signal })
}

/** Sweeps until the transactions are equal: once, unless the stack's sweep came in between. */
export async function sweepUntilEqual(demo: Demo, items: readonly Linked[], summary: string): Promise<Finding[]> {
  for (let count = 1; ; count += 1) {
    await untilSweepIsDue(demo, await lastCheck(items))
    await demo.sweep()
    const timeoutMs = count < mostSweeps ? Math.min(oneSweepMs, demo.timeoutMs) : demo.timeoutMs
    const said = `${summary}, ${count} sweep${count === 1 ? '' : 's'}`
    const findings = await Promise.all(
      items.map((linked) => settle({ ...demo, timeoutMs }, linked, said, ['transactions'])),
    )
    const equal = findings.every(({ differences }) => differences.length === 0)
    if (equal || count === mostSweeps) return findings
  }
}
