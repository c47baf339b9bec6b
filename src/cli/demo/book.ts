// The compared rows: the same fields from the bank and from the API, with Plaid's ids.

export const tableNames = ['accounts', 'transactions', 'holdings', 'investment_transactions', 'liabilities'] as const
export type TableName = (typeof tableNames)[number]

/** One row. Amounts are canonical decimal text, days `YYYY-MM-DD`. */
export interface Entry {
  readonly id: string
  readonly fields: Readonly<Record<string, unknown>>
}

export type Book = Readonly<Record<TableName, readonly Entry[]>>
