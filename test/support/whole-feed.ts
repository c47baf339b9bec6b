// A client that keeps a copy of everything of a user through `/changes`, and the API's lists to compare it with.
import * as z from 'zod'
import { listAllChangesRoute } from '../../src/http/routes/changes/changes.ts'
import { listAccountsRoute } from '../../src/http/routes/accounts.ts'
import { listHoldingsRoute, listInvestmentTransactionsRoute } from '../../src/http/routes/investments.ts'
import { listItemsRoute } from '../../src/http/routes/items/items.ts'
import { listLiabilitiesRoute } from '../../src/http/routes/liabilities.ts'
import { listRecurringRoute } from '../../src/http/routes/transactions/recurring.ts'
import { listTransactionsRoute } from '../../src/http/routes/transactions/transactions.ts'
import type { Route } from '../../src/http/route.ts'
import { ask } from './call-route.ts'
import type { World } from './world.ts'

/** Each kind's list. */
export const listOfKind: Readonly<Record<string, Route>> = {
  item: listItemsRoute,
  account: listAccountsRoute,
  holding: listHoldingsRoute,
  liability: listLiabilitiesRoute,
  recurring_stream: listRecurringRoute,
  investment_transaction: listInvestmentTransactionsRoute,
  transaction: listTransactionsRoute,
}

const row = z.looseObject({ id: z.string() })
type Row = z.infer<typeof row>

const seen = (time: unknown): boolean => time !== null
/** What a change announces of a row: neither the times of reading, nor the closing price in an investment transaction. */
const announced: Readonly<Record<string, z.ZodType<Row>>> = {
  item: z.looseObject({
    id: z.string(),
    last_successful_update: z.unknown().transform(seen),
    products: z.array(z.looseObject({ last_synced_at: z.unknown().transform(seen) })),
  }),
  account: z.looseObject({ id: z.string(), balances: z.looseObject({ as_of: z.unknown().transform(seen) }) }),
  investment_transaction: z.looseObject({
    id: z.string(),
    security: z
      .looseObject({ close_price: z.unknown().transform(() => 0), close_price_as_of: z.unknown().transform(() => 0) })
      .nullable(),
  }),
}
const announcedOf = (kind: string, given: unknown): Row => (announced[kind] ?? row).parse(given)
const change = z.looseObject({ seq: z.int(), kind: z.string(), op: z.enum(['upsert', 'remove']), id: z.string() })
const pageSchema = z.object({ data: z.array(change), next_since: z.string(), has_more: z.boolean() })
const listSchema = z.object({ data: z.array(row), next_cursor: z.string().nullable() })
type FeedPage = z.infer<typeof pageSchema>

/** Rows by kind and id, as the API returns them, without what a change does not announce. */
export type WholeCopy = ReadonlyMap<string, Row>

export interface WholeFollower {
  readonly copy: WholeCopy
  /** How many changes it has read. */
  readonly read: number
  readonly since: string
  /** Reads one page and applies it. Rejects when the sequence numbers do not increase. */
  step(limit?: number): Promise<FeedPage>
  /** Reads pages until the last one. */
  catchUp(limit?: number): Promise<void>
}

export async function readFeed(world: World, subject: string, since: string, limit = 100): Promise<FeedPage> {
  const query = { since, limit: String(limit) }
  return pageSchema.parse(await ask(world.user(subject), listAllChangesRoute, { query }))
}

/** Follows from the beginning. */
export function followAll(world: World, subject: string): WholeFollower {
  const copy = new Map<string, Row>()
  let [since, last, read, isFirst] = ['0', -1, 0, true]
  const step = async (limit = 100): Promise<FeedPage> => {
    const page = await readFeed(world, subject, since, limit)
    for (const { seq, kind, op, id, ...given } of page.data) {
      // Rows of a read from the start have one number.
      if (seq < last || (seq === last && !isFirst)) throw new Error(`change ${seq} came after ${last}`)
      last = seq
      if (op === 'upsert') copy.set(`${kind} ${id}`, announcedOf(kind, given[kind]))
      else copy.delete(`${kind} ${id}`)
    }
    read += page.data.length
    isFirst =
      isFirst &&
      (page.data.length > 0 || page.has_more) &&
      /,\[/.test(atob(page.next_since.replaceAll('-', '+').replaceAll('_', '/')))
    since = page.next_since
    return page
  }
  return {
    copy,
    get read() {
      return read
    },
    get since() {
      return since
    },
    step,
    async catchUp(limit = 100) {
      while ((await step(limit)).has_more);
    },
  }
}

async function everyRowOf(world: World, subject: string, kind: string, route: Route): Promise<[string, Row][]> {
  const rows: [string, Row][] = []
  let cursor: string | null = null
  do {
    const query: Record<string, string> = {
      limit: '500',
      ...(kind === 'item' ? {} : { include_hidden: 'true' }),
      ...(cursor === null ? {} : { cursor }),
    }
    const page: z.infer<typeof listSchema> = listSchema.parse(await ask(world.user(subject), route, { query }))
    rows.push(...page.data.map((each): [string, Row] => [`${kind} ${each.id}`, announcedOf(kind, each)]))
    cursor = page.next_cursor
  } while (cursor !== null)
  return rows
}

/** What the lists of all kinds return, all pages. */
export async function listedAll(world: World, subject: string): Promise<WholeCopy> {
  const lists = Object.entries(listOfKind).map(([kind, route]) => everyRowOf(world, subject, kind, route))
  return new Map((await Promise.all(lists)).flat())
}
