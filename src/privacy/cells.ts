// The cells of a row of the export.
import * as z from 'zod'
import type { ExportedColumn } from '../db/privacy/export.ts'
import type { Cell } from './csv.ts'

const rowSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

/** The values of a row, a JSON object as text, in the order of the columns. */
export function parseCells(line: string, columns: readonly ExportedColumn[]): Cell[] {
  const row = rowSchema.parse(JSON.parse(line))
  return columns.map(({ name }) => row[name] ?? null)
}
