// Insights: sums over accounts and transactions, one currency at a time.
import * as z from 'zod'
import { cashFlow } from '../../insights/cash-flow.ts'
import { netWorth } from '../../insights/net-worth.ts'
import { spending } from '../../insights/spending.ts'
import { day, dayRange, decimal, id, inOrder } from '../schemas.ts'
import { route } from '../route.ts'

const tags = ['insights']
const currency = z.string().nullable().describe('The currency; null if the institution did not report one.')

/** Sums over a window of days. */
function sumsOf<Row extends z.ZodType>(row: Row, name: string) {
  return z.object({ from: day, to: day, data: z.array(row) }).meta({ id: name })
}

const worthSchema = z
  .object({
    date: day,
    currency,
    estimated: z
      .boolean()
      .describe('Whether a balance of the day is estimated, because the institution had not reported one by then.'),
    accounts: z
      .int()
      .describe(
        'How many accounts of this currency count on the day. An account counts from its first balance or estimate ' +
          'until it closes.',
      ),
    assets: decimal,
    liabilities: decimal.describe('The sum of all liabilities. Positive amounts are owed.'),
    net: decimal,
  })
  .meta({ id: 'NetWorth' })

const worthDaysSchema = z
  .object({
    from: day,
    to: day,
    data: z.array(worthSchema),
    left_out: z
      .array(
        z
          .object({
            account_id: id,
            reason: z.literal('no_balance').describe('`no_balance`: the institution reported no balance.'),
          })
          .meta({ id: 'LeftOutAccount' }),
      )
      .describe('Open accounts that count on none of the days.'),
  })
  .meta({ id: 'NetWorthDays' })

export const netWorthRoute = route({
  id: 'netWorth',
  method: 'GET',
  path: '/api/v1/insights/net-worth',
  summary: 'Get net worth',
  tags,
  access: 'user',
  purpose: 'insights',
  query: z.strictObject(dayRange).check(inOrder()),
  entityTag: 'counter_and_day',
  answers: { 200: worthDaysSchema },
  errors: [],
}).handle(async (ctx, { query }) => {
  const { from, to, days, withoutBalance } = await netWorth(ctx, query)
  const data = days.map(({ day: date, ...sums }) => ({ date, ...sums }))
  const leftOut = withoutBalance.map((accountId) => ({ account_id: accountId, reason: 'no_balance' as const }))
  return { status: 200, body: { from, to, data, left_out: leftOut } }
})

const flowSchema = z
  .object({
    start: day.describe('The first day of the interval between `from` and `to`.'),
    end: day,
    currency,
    inflow: decimal,
    outflow: decimal,
    net: decimal.describe('Inflow minus outflow.'),
  })
  .meta({ id: 'CashFlow' })

export const cashFlowRoute = route({
  id: 'cashFlow',
  method: 'GET',
  path: '/api/v1/insights/cash-flow',
  summary: 'Get cash flow',
  tags,
  access: 'user',
  purpose: 'insights',
  query: z.strictObject({ ...dayRange, interval: z.enum(['day', 'week', 'month']).default('month') }).check(inOrder()),
  entityTag: 'counter_and_day',
  answers: { 200: sumsOf(flowSchema, 'CashFlowIntervals') },
  errors: [],
}).handle(async (ctx, { query: { interval, ...given } }) => {
  const { from, to, intervals } = await cashFlow(ctx, given, interval)
  return { status: 200, body: { from, to, data: [...intervals] } }
})

const spendingSchema = z
  .object({
    currency,
    category: z.string().nullable().describe('The category of the user, otherwise Plaid’s primary category.'),
    total: decimal.describe('Money out.'),
    returned: decimal.describe('Money in, such as refunds.'),
    count: z.int().min(1).describe('The number of transactions in the total.'),
  })
  .meta({ id: 'Spending' })

export const spendingRoute = route({
  id: 'spending',
  method: 'GET',
  path: '/api/v1/insights/spending',
  summary: 'Get spending',
  tags,
  access: 'user',
  purpose: 'insights',
  query: z.strictObject(dayRange).check(inOrder()),
  entityTag: 'counter_and_day',
  answers: { 200: sumsOf(spendingSchema, 'SpendingCategories') },
  errors: [],
}).handle(async (ctx, { query }) => {
  const { from, to, categories } = await spending(ctx, query)
  return { status: 200, body: { from, to, data: [...categories] } }
})
