// Reads insights as a user, and keeps sums to compare them with.
import * as z from 'zod'
import type { netWorthRoute } from '../../../src/http/routes/insights.ts'
import { ask } from '../../support/call-route.ts'
import type { World } from '../../support/world.ts'

export const dayMs = 86_400_000
export const dayAt = (offset: number): string => new Date(Date.now() + offset * dayMs).toISOString().slice(0, 10)

const answerSchema = z.object({
  from: z.string(),
  to: z.string(),
  data: z.array(z.looseObject({})),
  left_out: z.array(z.object({ account_id: z.string(), reason: z.string() })).optional(),
})

export type Query = Readonly<Record<string, string>>
export type Row = Readonly<Record<string, unknown>>

/** Requests an insight as the user. */
export const insight = async (world: World, subject: string, which: typeof netWorthRoute, query: Query = {}) =>
  answerSchema.parse(await ask(world.user(subject), which, { query }))

/** The rows by their keys, so that the order is compared separately. */
export const keyed = (rows: readonly Row[], ...names: string[]) =>
  new Map(rows.map((row) => [JSON.stringify(names.map((name) => row[name])), row]))

export interface Sums {
  in: bigint
  out: bigint
  count: number
}

export const sumsIn = (book: Map<string, Sums>, key: readonly (string | null)[]): Sums => {
  const name = JSON.stringify(key)
  const sums = book.get(name) ?? { in: 0n, out: 0n, count: 0 }
  book.set(name, sums)
  return sums
}
