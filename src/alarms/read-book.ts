// Reads the book of the alarms.
import type { Ctx, Services } from '../context.ts'
import { type Book, bookSchema, emptyBook, versionOf } from '../monitoring/alarms/book.ts'

/** Empty before the first evaluation. An unreadable book starts again: rules that still hold fire again. */
export async function readBook(
  store: NonNullable<Services['metricsStore']>,
  { log }: Ctx,
  nowMs: number,
): Promise<Book> {
  const stored = await store.readAlarms()
  if (stored === null) return emptyBook(nowMs)
  const parsed = bookSchema.safeParse(stored)
  if (parsed.success) return parsed.data
  log.error('alarms_book_unreadable')
  return { ...emptyBook(nowMs), version: versionOf(stored) }
}
