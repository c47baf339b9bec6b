// Lists of rows in Plaid's responses. A row that cannot be parsed is set aside and does not affect the others.
import * as z from 'zod'
import { isRecord, optionalId, storableCopy } from './field-schemas.ts'

export type RowKind =
  | 'account'
  | 'transaction'
  | 'removed_transaction'
  | 'security'
  | 'holding'
  | 'investment_transaction'
  | 'inflow_stream'
  | 'outflow_stream'
  | 'credit'
  | 'mortgage'
  | 'student'

export interface SetAsideRow {
  readonly kind: RowKind
  /** The name of the list in the response. */
  readonly list: string
  /** Identifies the row among rows of its kind; null if it cannot be read. */
  readonly key: string | null
  /** Plaid's id of the row's account; null if it cannot be read. */
  readonly accountId: string | null
  /** Plaid's id of the row, or of a holding's security, if it can be read. */
  readonly rowId: string | null
  /** The invalid fields and their problems, never values. */
  readonly problems: readonly string[]
  /** The row; null if it is too large to be stored. */
  readonly payload: unknown
}

export interface ReadRows<Row> {
  readonly rows: Row[]
  readonly setAside: SetAsideRow[]
}

export interface RowList {
  readonly kind: RowKind
  readonly list: string
  /** The field with the row's own id; null if only its account identifies it. */
  readonly id: string | null
  /** Whether the id is unique within an account only. */
  readonly isPerAccount?: boolean
  /**
   * How to read a list that is missing.
   * - `empty`: null and absent are an empty list; anything else counts as one unreadable row
   * - `null_empty`: null is an empty list. If it is absent or not a list, the response is refused, because Plaid does
   *   not send its rows again
   * - `unknown`: counts as one unreadable row that may be any of the kind, so nothing is removed because of it
   * - `refused`: the response is useless without the list
   */
  readonly without: 'empty' | 'null_empty' | 'unknown' | 'refused'
}

/** Characters of JSON; Plaid's rows have about 2,000. */
const longestPayload = 16_384

function payloadOf(row: unknown): unknown {
  const copy = storableCopy(row, false)
  return (JSON.stringify(copy) ?? '').length > longestPayload ? null : copy
}

const idIn = (row: unknown, field: string | null): string | null =>
  field === null || !isRecord(row) ? null : optionalId.parse(row[field])

function setAside(row: unknown, { kind, list, id, isPerAccount }: RowList, problems: readonly string[]): SetAsideRow {
  const [accountId, rowId] = [idIn(row, 'account_id'), idIn(row, id)]
  const perAccount = accountId === null || rowId === null ? null : `${accountId} ${rowId}`
  const key = id === null ? accountId : isPerAccount ? perAccount : rowId
  return { kind, list, key, accountId, rowId, problems, payload: payloadOf(row) }
}

/** Sets a valid row aside that cannot be stored with the others. */
export const setAsideReadable = (
  row: unknown,
  name: Pick<SetAsideRow, 'kind' | 'list' | 'key' | 'accountId' | 'rowId'>,
  problem: string,
): SetAsideRow => ({ ...name, problems: [problem], payload: payloadOf(row) })

/** A problem without values: this project's texts, or zod's codes. */
const problemOf = ({ path, code, message }: z.core.$ZodIssue): string =>
  `${path.join('.')} ${code === 'custom' ? message : code}`.trim()

/** Parses the rows of a list. Returns the valid ones in order, and the others set aside. */
export function readRows<Schema extends z.ZodType>(
  schema: Schema,
  value: readonly unknown[],
  list: RowList,
): ReadRows<z.output<Schema>> {
  const found: ReadRows<z.output<Schema>> = { rows: [], setAside: [] }
  for (const row of value) {
    const parsed = schema.safeParse(row)
    if (parsed.success) found.rows.push(parsed.data)
    else found.setAside.push(setAside(row, list, parsed.error.issues.slice(0, 10).map(problemOf)))
  }
  return found
}

/** A list in a response, whose rows are parsed one by one. */
export const rowsOf = <Schema extends z.ZodType>(schema: Schema, list: RowList) =>
  z
    .unknown()
    .optional()
    .transform((value, ctx): ReadRows<z.output<Schema>> => {
      if (Array.isArray(value)) return readRows(schema, value, list)
      const isEmpty = list.without === 'empty' ? value === undefined || value === null : value === null
      if (isEmpty && (list.without === 'empty' || list.without === 'null_empty')) return { rows: [], setAside: [] }
      if (list.without === 'empty' || list.without === 'unknown')
        return { rows: [], setAside: [setAside(value, { ...list, id: null }, [`${list.list} invalid`])] }
      ctx.issues.push({ code: 'custom', message: 'invalid', input: undefined })
      return z.NEVER
    })
