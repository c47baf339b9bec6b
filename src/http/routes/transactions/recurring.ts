// Recurring inflows and outflows.
import * as z from 'zod'
import { listRecurring, type RecurringStream } from '../../../db/records/recurring.ts'
import { AppError } from '../../../errors.ts'
import { day, decimal, flag, hiddenQuery, id } from '../../schemas.ts'
import { keyCursor, pageBody, listResponse, pageQuery } from '../../pagination.ts'
import { route } from '../../route.ts'

const direction = z.enum(['inflow', 'outflow'])

export const streamSchema = z
  .object({
    id,
    plaid_stream_id: z.string(),
    account_id: id,
    direction,
    description: z.string(),
    merchant_name: z.string().nullable(),
    category: z.object({ primary: z.string().nullable(), detailed: z.string().nullable() }),
    first_date: day,
    last_date: day,
    predicted_next_date: day.nullable(),
    frequency: z.string().describe('Plaid’s frequency: `WEEKLY`, `MONTHLY` and so on.'),
    average_amount: decimal.nullable().describe('The average amount. Positive amounts are money out.'),
    last_amount: decimal.nullable(),
    currency: z.string().nullable(),
    active: z.boolean(),
    status: z.string().describe('Plaid’s status: `MATURE`, `EARLY_DETECTION`, `TOMBSTONED` and so on.'),
    transaction_ids: z.array(id).describe('The ids of the stored transactions of the stream, oldest first.'),
    plaid_transaction_ids: z.array(z.string()),
  })
  .meta({ id: 'RecurringStream' })

export function streamView(stream: RecurringStream): z.input<typeof streamSchema> {
  const parsed = direction.safeParse(stream.direction)
  if (!parsed.success) throw new AppError('internal', 'The stream has no direction.', { reason: 'stream direction' })
  return {
    id: stream.id,
    plaid_stream_id: stream.plaidStreamId,
    account_id: stream.accountId,
    direction: parsed.data,
    description: stream.description,
    merchant_name: stream.merchantName,
    category: { primary: stream.categoryPrimary, detailed: stream.categoryDetailed },
    first_date: stream.firstDate,
    last_date: stream.lastDate,
    predicted_next_date: stream.predictedNextDate,
    frequency: stream.frequency,
    average_amount: stream.averageAmount,
    last_amount: stream.lastAmount,
    currency: stream.currency,
    active: stream.isActive,
    status: stream.status,
    transaction_ids: [...stream.transactionIds],
    plaid_transaction_ids: [...stream.plaidTransactionIds],
  }
}

const byLastDate = keyCursor('recurring', 'day')

export const listRecurringRoute = route({
  id: 'listRecurringTransactions',
  method: 'GET',
  path: '/api/v1/transactions/recurring',
  summary: 'List recurring transactions',
  tags: ['transactions'],
  access: 'user',
  query: z.strictObject({
    ...pageQuery,
    ...hiddenQuery,
    account_id: id.optional(),
    direction: direction.optional(),
    active: flag.optional(),
  }),
  entityTag: 'counter',
  answers: { 200: listResponse(streamSchema, 'RecurringStreamList') },
  errors: ['invalid_cursor'],
}).handle(async ({ services, actor }, { query }) => {
  const { limit, cursor, account_id: accountId, direction: wanted, active, include_hidden: withHidden } = query
  const from = byLastDate.read(cursor)
  const filters = { accountId, direction: wanted, active, withHidden }
  const page = await listRecurring(services.api, actor.identity, filters, limit, from)
  return { status: 200, body: pageBody(page, byLastDate, streamView) }
})
