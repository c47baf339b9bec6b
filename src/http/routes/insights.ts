// Insights: sums over accounts and transactions, one currency at a time.
import * as z from 'zod'
import { cashFlow } from '../../insights/cash-flow.ts'
import { netWorth } from '../../insights/net-worth.ts'
import { spending } from '../../insights/spending.ts'
import { day, dayRange, decimal, id, inOrder } from '../schemas.ts'
import { route } from '../route.ts'

const tags = ['insights']
const currency = z.string().nullable().describe('Null where the bank did not tell it.')

/** Sums over days: which, and what they are. */
function sumsOf<Row extends z.ZodType>(row: Row, name: string) {
  return z.object({ from: day, to: day, data: z.array(row) }).meta({ id: name })
}

const worthSchema = z
  .object({ date: day, currency, assets: decimal, liabilities: decimal.describe('Positive is owed.'), net: decimal })
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
            reason: z.literal('no_balance').describe('The bank has reported no balance of the account.'),
          })
          .meta({ id: 'LeftOutAccount' }),
      )
      .describe('Open accounts that do not count on any of the days.'),
  })
  .meta({ id: 'NetWorthDays' })

export const netWorthRoute = route({
  id: 'netWorth',
  method: 'GET',
  path: '/api/v1/insights/net-worth',
  summary: 'What was owned and owed, by day and currency; the last 30 days by default, 731 at most',
  tags,
  access: 'user',
  query: z.strictObject(dayRange).check(inOrder()),
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
    start: day.describe('The first day of the interval that is within from and to.'),
    end: day,
    currency,
    inflow: decimal,
    outflow: decimal,
    net: decimal.describe('What came in less what went out.'),
  })
  .meta({ id: 'CashFlow' })

export const cashFlowRoute = route({
  id: 'cashFlow',
  method: 'GET',
  path: '/api/v1/insights/cash-flow',
  summary: 'What came in and went out, by interval and currency; transfers between own accounts do not count',
  tags,
  access: 'user',
  query: z.strictObject({ ...dayRange, interval: z.enum(['day', 'week', 'month']).default('month') }).check(inOrder()),
  answers: { 200: sumsOf(flowSchema, 'CashFlowIntervals') },
  errors: [],
}).handle(async (ctx, { query: { interval, ...given } }) => {
  const { from, to, intervals } = await cashFlow(ctx, given, interval)
  return { status: 200, body: { from, to, data: [...intervals] } }
})

const spendingSchema = z
  .object({
    currency,
    category: z.string().nullable().describe("The user's own, else Plaid's primary one."),
    total: decimal.describe('What went out.'),
    returned: decimal.describe('What of this category came in, as refunds do.'),
    count: z.int().min(1).describe('How many transactions make up the total.'),
  })
  .meta({ id: 'Spending' })

export const spendingRoute = route({
  id: 'spending',
  method: 'GET',
  path: '/api/v1/insights/spending',
  summary: 'What was spent on what, by currency and category; the last 30 days by default, 731 at most',
  tags,
  access: 'user',
  query: z.strictObject(dayRange).check(inOrder()),
  answers: { 200: sumsOf(spendingSchema, 'SpendingCategories') },
  errors: [],
}).handle(async (ctx, { query }) => {
  const { from, to, categories } = await spending(ctx, query)
  return { status: 200, body: { from, to, data: [...categories] } }
})
