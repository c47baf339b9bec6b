// The schemas of rules.
import * as z from 'zod'
import { isDecimal } from '../decimal.ts'
import type { Rule, RuleContent } from '../db/records/rules.ts'
import { decimal, decimalInput, id, instant, line, timeText } from './schemas.ts'

export const contentShape = {
  contains: line(200).nullable().default(null),
  min_amount: decimalInput.nullable().default(null),
  max_amount: decimalInput.nullable().default(null),
  account_id: id.nullable().default(null),
  user_category: line(100).nullable().default(null),
  hidden: z.boolean().default(false),
}

interface Given {
  readonly contains: string | null
  readonly min_amount: string | null
  readonly max_amount: string | null
  readonly account_id: string | null
  readonly user_category: string | null
  readonly hidden: boolean
}

export const hasCondition = z.refine<Given>(
  (rule) => [rule.contains, rule.min_amount, rule.max_amount, rule.account_id].some((value) => value !== null),
  { error: 'Must have a condition: contains, min_amount, max_amount or account_id.' },
)
export const hasAction = z.refine<Given>((rule) => rule.user_category !== null || rule.hidden, {
  error: 'Must have an action: user_category or hidden.',
})

/** A decimal of at most 40 places as a whole number, to compare two of them. */
function units(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(40, '0'))
}

export const isRange = z.refine<Given>(
  ({ min_amount: least, max_amount: most }) =>
    least === null || most === null || !isDecimal(least) || !isDecimal(most) || units(least) <= units(most),
  { path: ['max_amount'], error: 'Must not be less than min_amount.' },
)

export const contentSchema = z
  .strictObject(contentShape)
  .check(hasCondition, hasAction, isRange)
  .meta({ id: 'RuleContent', description: 'All given conditions must match. An absent field is null, or false.' })

export const contentOf = (given: Given): RuleContent => ({
  contains: given.contains,
  minAmount: given.min_amount,
  maxAmount: given.max_amount,
  accountId: given.account_id,
  userCategory: given.user_category,
  hidden: given.hidden,
})

export const ruleSchema = z
  .object({
    id,
    contains: z.string().nullable().describe('Text in the name or the merchant of the transaction; null for any.'),
    min_amount: decimal.nullable().describe('The least amount, inclusive; positive is money out. Null for any.'),
    max_amount: decimal.nullable().describe('The greatest amount, inclusive. Null for any.'),
    account_id: id.nullable().describe('The account; null for any.'),
    user_category: z.string().nullable().describe('The category that the rule gives; null for none.'),
    hidden: z.boolean().describe('Whether the rule hides transactions from sums.'),
    created_at: instant,
  })
  .meta({ id: 'Rule' })

export const ruleView = (rule: Rule): z.input<typeof ruleSchema> => ({
  id: rule.id,
  contains: rule.contains,
  min_amount: rule.minAmount,
  max_amount: rule.maxAmount,
  account_id: rule.accountId,
  user_category: rule.userCategory,
  hidden: rule.hidden,
  created_at: timeText(rule.createdAt),
})

export const rulesSchema = z
  .object({ data: z.array(ruleSchema).describe('The rules in their order: the first one that matches counts.') })
  .meta({ id: 'Rules' })
