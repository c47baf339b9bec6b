// The change feed of transactions, for clients that store a copy.
import * as z from 'zod'
import { type Change, listChanges } from '../../../db/read/changes.ts'
import { AppError } from '../../../errors.ts'
import { id, wholeNumber } from '../../schemas.ts'
import { pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'
import { decodeFirstRead, encodeFirstRead, isUpToDate } from './first-read.ts'
import { transactionSchema, transactionView } from './transactions.ts'

const seq = z.int().min(1).describe('The number of the change. A later change has a higher number.')

const changeSchema = z
  .discriminatedUnion('op', [
    z.object({ seq, op: z.literal('upsert'), transaction: transactionSchema }),
    z.object({
      seq,
      op: z.literal('remove'),
      transaction: z.object({ id }),
      expired: z
        .boolean()
        .describe('True if the transaction was deleted here because of its age. The bank has not removed it.'),
    }),
  ])
  .meta({ id: 'TransactionChange' })

function changeView({ seq: number, transactionId, transaction, expired }: Change): z.input<typeof changeSchema> {
  return transaction === null
    ? { seq: number, op: 'remove', transaction: { id: transactionId }, expired }
    : { seq: number, op: 'upsert', transaction: transactionView(transaction) }
}

const changesSchema = z
  .object({
    data: z.array(changeSchema),
    next_since: z
      .int()
      .describe(
        'The `since` of the next request. Negative while a read that started at 0 is among numbers whose removals are no longer listed.',
      ),
    has_more: z.boolean().describe('Whether more changes can be read now.'),
  })
  .meta({ id: 'TransactionChanges' })

const fields = [{ pointer: 'since', detail: 'Must be the `next_since` of the previous response, or 0.' }]

export const listChangesRoute = route({
  id: 'listTransactionChanges',
  method: 'GET',
  path: '/api/v1/transactions/changes',
  summary: 'List transaction changes',
  tags: ['transactions'],
  access: 'user',
  query: z.strictObject({
    limit: pageQuery.limit,
    since: wholeNumber(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
      .default(0)
      .describe('The `next_since` of the previous response; 0 returns everything.'),
  }),
  answers: { 200: changesSchema },
  errors: ['invalid_cursor', 'feed_expired'],
}).handle(async ({ services, actor }, { query: { since, limit } }) => {
  const started = since < 0 ? decodeFirstRead(since) : null
  const from = started?.readTo ?? since
  const { changes, hasMore, newest, completeFrom, readTo } = await listChanges(
    services.api,
    actor.identity,
    from,
    limit,
  )
  // The number belongs to another database, or to one that was restored: changes after it would never arrive.
  if (from > newest) throw new AppError('invalid_cursor', 'No change has this number. Start again from 0.', { fields })
  const hasMissed = started === null ? since > 0 && since < completeFrom : !isUpToDate(started, completeFrom)
  if (hasMissed)
    throw new AppError(
      'feed_expired',
      'Removals after this number are no longer listed. Discard the copy and start again from 0.',
      { fields, extensions: { next_since: 0 } },
    )
  const last = changes.at(-1)?.seq ?? from
  const read = hasMore ? last : Math.max(last, since > 0 ? 0 : readTo)
  const isAmongMissing = since <= 0 && read < completeFrom
  const next = isAmongMissing ? encodeFirstRead(read, completeFrom) : read
  return { status: 200, body: { data: changes.map(changeView), next_since: next, has_more: hasMore } }
})
