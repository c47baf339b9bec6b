// Decides which transactions are money that left or reached the user, as one table. Every movement of money has two
// sides, and a bank can report one or both; the table makes sure that it counts once.
import { type SQL, sql } from 'drizzle-orm'

export interface MoneyRule {
  /** Whose category: the user's if the transaction has one, else Plaid's. */
  readonly category: 'user' | 'plaid'
  /** Plaid's primary or detailed categories, of either taxonomy; null matches every category, and none. */
  readonly named: readonly string[] | null
  /** Types of the reporting account; null matches every type. */
  readonly accounts: readonly string[] | null
  /** Into or out of the account; null matches both. */
  readonly direction: 'in' | 'out' | null
  readonly counts: boolean
  readonly because: string
}

const transfers = ['TRANSFER_IN', 'TRANSFER_OUT', 'LOAN_DISBURSEMENTS'] as const

/**
 * The first matching rule decides. All accounts except loans count as the user's, and so does cash. A card counts when
 * it is used, a loan when it is paid: of the two sides of a debt, using and paying, exactly one counts.
 */
export const moneyRules: readonly MoneyRule[] = [
  {
    category: 'user',
    named: transfers,
    accounts: null,
    direction: null,
    counts: false,
    because: 'the user calls it a transfer',
  },
  {
    category: 'user',
    named: null,
    accounts: null,
    direction: null,
    counts: true,
    because: 'the category of the user takes precedence',
  },
  {
    category: 'plaid',
    named: null,
    accounts: ['loan'],
    direction: null,
    counts: false,
    because: 'a loan counts when it is paid, in the account that pays; its interest and fees are part of the payment',
  },
  {
    category: 'plaid',
    named: null,
    accounts: ['payroll'],
    direction: null,
    counts: false,
    because: 'pay counts in the account that receives it',
  },
  {
    category: 'plaid',
    named: transfers,
    accounts: null,
    direction: null,
    counts: false,
    because: 'a transfer between accounts of the user, or borrowed money that is owed',
  },
  {
    category: 'plaid',
    named: ['LOAN_PAYMENTS_CREDIT_CARD_PAYMENT'],
    accounts: null,
    direction: null,
    counts: false,
    because: 'a card counts when it is used',
  },
  {
    category: 'plaid',
    named: ['LOAN_PAYMENTS'],
    accounts: ['credit'],
    direction: 'in',
    counts: false,
    because: 'a card counts when it is used, not when it is paid',
  },
  {
    category: 'plaid',
    named: null,
    accounts: null,
    direction: null,
    counts: true,
    because: 'income, purchases, refunds, fees, interest and loan payments: the other party is not the user',
  },
]

interface Columns {
  readonly userCategory: SQL
  readonly primary: SQL
  readonly detailed: SQL
  readonly accountType: SQL
  readonly amount: SQL
}

const textList = (texts: readonly string[]): SQL =>
  sql.raw(texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', '))

/** A name matches a category and all of its subcategories. */
const isNamed = (category: SQL, named: readonly string[]): SQL =>
  sql.join(
    [
      sql`${category} in (${textList(named)})`,
      ...named.map((name) => sql`starts_with(${category}, ${textList([`${name}_`])})`),
    ],
    sql` or `,
  )

function conditionOf({ category, named, accounts, direction }: MoneyRule, columns: Columns): SQL {
  const conditions = [
    ...(category === 'user' ? [sql`${columns.userCategory} is not null`] : []),
    ...(named === null ? [] : [namedBy(category, named, columns)]),
    ...(accounts === null ? [] : [sql`${columns.accountType} in (${textList(accounts)})`]),
    ...(direction === null ? [] : [sql`${columns.amount} ${sql.raw(direction === 'in' ? '<' : '>')} 0`]),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `)
}

const namedBy = (category: MoneyRule['category'], named: readonly string[], columns: Columns): SQL =>
  category === 'user'
    ? sql`(${isNamed(columns.userCategory, named)})`
    : sql`(${columns.primary} in (${textList(named)}) or ${isNamed(columns.detailed, named)})`

/** Whether a transaction counts, by the rules. */
export const countsAsMoney = (columns: Columns): SQL =>
  sql`case ${sql.join(
    moneyRules.map((rule) => sql`when ${conditionOf(rule, columns)} then ${sql.raw(String(rule.counts))}`),
    sql` `,
  )} end`
