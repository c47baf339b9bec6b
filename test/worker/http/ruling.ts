// Makes rules and transactions for the tests of rules.
import * as z from 'zod'
import type { Item } from '../../../src/db/items/items.ts'
import { applyRulesRoute, createRuleRoute, deleteRuleRoute, previewRuleRoute } from '../../../src/http/routes/rules.ts'
import { editTransactionRoute } from '../../../src/http/routes/transactions/transactions.ts'
import { requestSync } from '../../../src/sync/request-sync.ts'
import { ask } from '../../support/call-route.ts'
import { everyTransaction } from '../../support/equality.ts'
import type { World } from '../../support/world.ts'

const idSchema = z.looseObject({ id: z.string() })
const stepSchema = z.object({ checked: z.number(), changed: z.number(), next_cursor: z.string().nullable() })
const previewSchema = z.object({
  checked: z.number(),
  matched: z.number(),
  kept: z.number(),
  changed: z.number(),
  data: z.array(z.looseObject({ id: z.string(), name: z.string() })),
})

export function ruling(world: () => World) {
  const user = (subject: string) => world().user(subject)
  const create = async (subject: string, body: object) =>
    idSchema.parse(await ask(user(subject), createRuleRoute, { body })).id
  const remove = async (subject: string, id: string) => await ask(user(subject), deleteRuleRoute, { params: { id } })
  const preview = async (subject: string, body: object) =>
    previewSchema.parse(await ask(user(subject), previewRuleRoute, { body }))
  const step = async (subject: string, cursor?: string) =>
    stepSchema.parse(await ask(user(subject), applyRulesRoute, { body: cursor === undefined ? {} : { cursor } }))
  /** Applies the rules to all stored transactions; returns how many were checked and changed, and in how many steps. */
  async function apply(subject: string) {
    const all = { checked: 0, changed: 0, steps: 0 }
    for (let cursor: string | undefined; ;) {
      const { checked, changed, next_cursor: next } = await step(subject, cursor)
      all.checked += checked
      all.changed += changed
      all.steps += 1
      if (next === null) return all
      cursor = next
    }
  }
  const edit = async (subject: string, id: string, body: object) =>
    await ask(user(subject), editTransactionRoute, { params: { id }, body })
  async function sync(subject: string, item: Item): Promise<void> {
    await requestSync(user(subject), item.id)
    await world().drain()
  }
  /** Adds transactions at the bank and syncs. Returns Plaid's ids. */
  async function add(subject: string, item: Item, additions: readonly object[]): Promise<readonly string[]> {
    const { added } = await world().bank.change(item.plaidItemId, { add: additions, silent: true })
    await sync(subject, item)
    return added
  }
  /** The stored transactions with these ids of Plaid, in their order. */
  async function stored(subject: string, plaidIds: readonly string[]) {
    const rows = await everyTransaction(world(), subject)
    return plaidIds.flatMap((id) => rows.find(({ plaidTransactionId }) => plaidTransactionId === id) ?? [])
  }
  const numberOf = async (subject: string) =>
    Number((await world().sql('select change_seq from users where subject = $1', [subject]))[0]?.['change_seq'])
  return { user, create, remove, preview, step, apply, edit, sync, add, stored, numberOf }
}
