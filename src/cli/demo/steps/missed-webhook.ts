// Step 5: data change at the bank without a webhook; one sweep finds the change.
import type { Demo, Finding, Linked } from '../context.ts'
import { sweepUntilEqual } from '../sweep.ts'

const silent = '{"silent": true, "add": 5, "modify": 3, "remove": 3}'

/** For items whose bank has transactions. */
export async function missWebhook(demo: Demo, items: readonly Linked[]): Promise<Finding[]> {
  for (const { plaidItemId } of items) await demo.bank.change(plaidItemId, silent)
  return await sweepUntilEqual(demo, items, 'changed without a webhook')
}
