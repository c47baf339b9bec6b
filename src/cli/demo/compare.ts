// Compares two lists of rows and returns their differences.
import { isDeepStrictEqual } from 'node:util'
import type { Book, Entry, TableName } from './book.ts'

/** One difference. Null on a side: that side has no such row. */
export interface Difference {
  readonly table: string
  readonly id: string
  readonly field: string | null
  readonly expected: unknown
  readonly actual: unknown
}

/** An empty list if equal, otherwise one difference. */
export function check(table: string, id: string, expected: unknown, actual: unknown): Difference[] {
  return isDeepStrictEqual(expected, actual) ? [] : [{ table, id, field: null, expected, actual }]
}

/** Finds every row that is missing, unexpected, duplicated, or different in a field. */
export function compareRows(table: string, expected: readonly Entry[], actual: readonly Entry[]): Difference[] {
  const there = new Map(actual.map((entry) => [entry.id, entry]))
  const wanted = new Map(expected.map((entry) => [entry.id, entry]))
  const rowDifference = (id: string, sides: { expected: unknown; actual: unknown }): Difference => ({
    table,
    id,
    field: null,
    ...sides,
  })
  return [
    ...expected.flatMap(({ id, fields }) => {
      const found = there.get(id)
      return found === undefined
        ? [rowDifference(id, { expected: fields, actual: null })]
        : compareFields(table, id, fields, found.fields)
    }),
    ...actual
      .filter(({ id }) => !wanted.has(id))
      .map(({ id, fields }) => rowDifference(id, { expected: null, actual: fields })),
    ...twice(expected).map((id) => rowDifference(id, { expected: 'twice', actual: 'once' })),
    ...twice(actual).map((id) => rowDifference(id, { expected: 'once', actual: 'twice' })),
  ]
}

function compareFields(table: string, id: string, expected: Entry['fields'], actual: Entry['fields']): Difference[] {
  const fields = new Set([...Object.keys(expected), ...Object.keys(actual)])
  return [...fields]
    .filter((field) => !isDeepStrictEqual(expected[field], actual[field]))
    .map((field) => ({ table, id, field, expected: expected[field], actual: actual[field] }))
}

function twice(entries: readonly Entry[]): string[] {
  const seen = new Set<string>()
  return entries.flatMap(({ id }) => {
    if (seen.has(id)) return [id]
    seen.add(id)
    return []
  })
}

/** The differences in these tables. */
export function compareBooks(expected: Book, actual: Book, tables: readonly TableName[]): Difference[] {
  return tables.flatMap((table) => compareRows(table, expected[table], actual[table]))
}
