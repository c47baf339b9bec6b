// The change feed of everything, for clients that store a copy.
import * as z from 'zod'
import {
  type FeedChange,
  feedKinds,
  type FeedRow,
  type FeedState,
  readChanges,
  readFromStart,
} from '../../../db/read/feed.ts'
import { AppError } from '../../../errors.ts'
import { pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { id } from '../../schemas.ts'
import { accountSchema, accountView } from '../accounts.ts'
import { holdingSchema, holdingView, investmentTransactionSchema, investmentTransactionView } from '../investments.ts'
import { itemSchema, itemView } from '../items/items.ts'
import { liabilitySchema, liabilityView } from '../liabilities.ts'
import { streamSchema, streamView } from '../transactions/recurring.ts'
import { transactionSchema, transactionView } from '../transactions/transactions.ts'
import { readSince, type Since, sinceField, startText, writeSince } from './cursor.ts'

const upserted = {
  seq: z
    .int()
    .min(0)
    .describe(
      'The number of the change. A later change has a higher number. Rows of a read from the start have the ' +
        'number of the newest change at its beginning.',
    ),
  op: z.literal('upsert'),
  id,
}

const changeSchema = z
  .union([
    z.object({ ...upserted, kind: z.literal('item'), item: itemSchema }),
    z.object({ ...upserted, kind: z.literal('account'), account: accountSchema }),
    z.object({ ...upserted, kind: z.literal('holding'), holding: holdingSchema }),
    z.object({ ...upserted, kind: z.literal('liability'), liability: liabilitySchema }),
    z.object({ ...upserted, kind: z.literal('recurring_stream'), recurring_stream: streamSchema }),
    z.object({
      ...upserted,
      kind: z.literal('investment_transaction'),
      investment_transaction: investmentTransactionSchema,
    }),
    z.object({ ...upserted, kind: z.literal('transaction'), transaction: transactionSchema }),
    z.object({ ...upserted, kind: z.enum(feedKinds), op: z.literal('remove') }),
  ])
  .meta({ id: 'Change' })

function upsertView({ seq }: FeedChange, { kind, row }: FeedRow): z.input<typeof changeSchema> {
  const head = { seq, op: 'upsert' as const, id: row.id }
  switch (kind) {
    case 'item':
      return { ...head, kind, item: itemView(row) }
    case 'account':
      return { ...head, kind, account: accountView(row) }
    case 'holding':
      return { ...head, kind, holding: holdingView(row) }
    case 'liability':
      return { ...head, kind, liability: liabilityView(row) }
    case 'recurring_stream':
      return { ...head, kind, recurring_stream: streamView(row) }
    case 'investment_transaction':
      return { ...head, kind, investment_transaction: investmentTransactionView(row) }
    case 'transaction':
      return { ...head, kind, transaction: transactionView(row) }
  }
}

const changeView = (change: FeedChange): z.input<typeof changeSchema> =>
  change.row === null ? { seq: change.seq, kind: change.kind, op: 'remove', id: change.id } : upsertView(change, change)

const changesSchema = z
  .object({
    data: z.array(changeSchema),
    next_since: z.string().describe('The `since` of the next request.'),
    has_more: z.boolean().describe('Whether more can be read now.'),
  })
  .meta({ id: 'Changes' })

/**
 * @throws AppError `invalid_cursor` for a number that the feed has not reached; `feed_expired` for one of an earlier epoch, or
 *   after which changes are missing
 */
function requireComplete({ epoch, seq, place }: Since, state: FeedState | null): void {
  if (epoch !== null && epoch !== state?.epoch)
    throw expired('The feed was begun anew, as after a restore of the database.')
  if (seq > (state?.newest ?? 0))
    throw new AppError('invalid_cursor', 'No change has this number. Start again from 0.', { fields: [sinceField] })
  const isAtStart = place !== null && epoch === null
  if (!isAtStart && seq < (state?.completeFrom ?? 0)) throw expired('Changes after this number are no longer listed.')
}

const expired = (why: string): AppError =>
  new AppError('feed_expired', `${why} Discard the copy and start again from 0.`, {
    fields: [sinceField],
    extensions: { next_since: startText },
  })

export const listAllChangesRoute = route({
  id: 'listChanges',
  method: 'GET',
  path: '/api/v1/changes',
  summary: 'List changes',
  tags: ['changes'],
  access: 'user',
  query: z.strictObject({
    limit: pageQuery.limit,
    since: z.string().default(startText).describe('The `next_since` of the previous response; 0 returns everything.'),
  }),
  answers: { 200: changesSchema },
  errors: ['invalid_cursor', 'feed_expired'],
}).handle(async ({ services, actor }, { query: { since: text, limit } }) => {
  const since = readSince(text)
  const { identity } = actor
  if (since.place !== null) {
    const start = since.epoch === null ? null : since.seq
    const page = await readFromStart(services.api, identity, start, since.place, limit)
    requireComplete(since, page.after)
    const { before } = page
    // A person who has not linked anything has no feed yet.
    if (before === null) return { status: 200, body: { data: [], next_since: startText, has_more: false } }
    const place = page.hasMore ? page.place : null
    const next = writeSince({ epoch: before.epoch, seq: page.start, place })
    const hasMore = page.hasMore || page.start < (page.after?.newest ?? 0)
    return { status: 200, body: { data: page.changes.map(changeView), next_since: next, has_more: hasMore } }
  }
  const { changes, hasMore, before, after } = await readChanges(services.api, identity, since.seq, limit)
  requireComplete(since, after)
  if (before === null) return { status: 200, body: { data: [], next_since: startText, has_more: false } }
  const last = changes.at(-1)?.seq ?? since.seq
  const seq = hasMore ? last : Math.max(last, before.newest)
  const next = writeSince({ epoch: before.epoch, seq, place: null })
  return { status: 200, body: { data: changes.map(changeView), next_since: next, has_more: hasMore } }
})
