// A client that keeps a copy of a user's transactions through the change feed, and the API's list to compare it with.
import * as z from 'zod'
import { listChangesRoute } from '../../src/http/routes/transactions/changes.ts'
import { listTransactionsRoute } from '../../src/http/routes/transactions/transactions.ts'
import { ask } from './call-route.ts'
import type { World } from './world.ts'

const transactionSchema = z.looseObject({ id: z.string() })
const pageSchema = z.object({
  data: z.array(
    z.object({
      seq: z.int(),
      op: z.enum(['upsert', 'remove']),
      transaction: transactionSchema,
      expired: z.boolean().optional(),
    }),
  ),
  next_since: z.int(),
  has_more: z.boolean(),
})
const listSchema = z.object({ data: z.array(transactionSchema), next_cursor: z.string().nullable() })

type Transaction = z.infer<typeof transactionSchema>
export type FeedPage = z.infer<typeof pageSchema>

/** Transactions by id, as the API returns them. */
export type Copy = ReadonlyMap<string, Transaction>

export async function readChanges(world: World, subject: string, since: number, limit = 100): Promise<FeedPage> {
  const query = { since: String(since), limit: String(limit) }
  return pageSchema.parse(await ask(world.user(subject), listChangesRoute, { query }))
}

export interface Follower {
  readonly copy: Copy
  /** Reads one page and applies it. Rejects when the sequence numbers do not increase. */
  step(limit?: number): Promise<FeedPage>
  /** Reads pages until the last one. */
  catchUp(limit?: number): Promise<void>
}

/** Follows from the beginning. */
export function follow(world: World, subject: string): Follower {
  const copy = new Map<string, Transaction>()
  let [since, last] = [0, 0]
  const step = async (limit = 100): Promise<FeedPage> => {
    const page = await readChanges(world, subject, since, limit)
    for (const { seq, op, transaction } of page.data) {
      if (seq <= last) throw new Error(`change ${seq} came after ${last}`)
      last = seq
      if (op === 'upsert') copy.set(transaction.id, transaction)
      else copy.delete(transaction.id)
    }
    if (page.next_since >= 0 && page.next_since < last)
      throw new Error(`after ${last} the next request would begin at ${page.next_since}`)
    since = page.next_since
    return page
  }
  return {
    copy,
    step,
    async catchUp(limit = 100) {
      while ((await step(limit)).has_more);
    },
  }
}

/** What `GET /transactions` lists, all pages. */
export async function listed(world: World, subject: string): Promise<Copy> {
  const copy = new Map<string, Transaction>()
  let cursor: string | null = null
  do {
    const query: Record<string, string> = { limit: '500', ...(cursor === null ? {} : { cursor }) }
    const page: z.infer<typeof listSchema> = listSchema.parse(
      await ask(world.user(subject), listTransactionsRoute, { query }),
    )
    for (const transaction of page.data) copy.set(transaction.id, transaction)
    cursor = page.next_cursor
  } while (cursor !== null)
  return copy
}
