// Pagination: `limit`, an opaque `cursor`, and `{data, next_cursor}`. A cursor is a position in one list. It is validated like
// any input, contains no secret and grants no rights.
import * as z from 'zod'
import { decodeBase64Url, encodeBase64Url, fromUtf8, utf8 } from '../crypto/encoding.ts'
import type { Key, Page } from '../db/core/page.ts'
import { AppError } from '../errors.ts'
import { day, id, instant, wholeNumber } from './schemas.ts'

const maxCursorLength = 400

/** The query parameters of every list. */
export const pageQuery = {
  limit: wholeNumber(1, 500).default(100).describe('The maximum number of rows.'),
  cursor: z.string().optional().describe('The `next_cursor` of the previous page. Empty for the first page.'),
}

/** The response of a list. */
export function listResponse<Row extends z.ZodType>(row: Row, name: string) {
  return z.object({ data: z.array(row), next_cursor: z.string().nullable() }).meta({ id: name })
}

export interface Cursor<Place> {
  write(place: Place): string
  /** @throws AppError `invalid_cursor` for anything that `write` of the same list did not return */
  read(text: string | undefined): Place | null
}

interface CursorOptions<Place> {
  /** The place as its schema parses it; by default the place itself. */
  readonly toJson?: (place: Place) => unknown
  /** What is wrong with a cursor of another list. */
  readonly field?: { readonly pointer: string; readonly detail: string }
}

const cursorField = { pointer: 'cursor', detail: 'Must be the `next_cursor` of the previous page, unchanged.' }

export function cursorOf<Place>(
  list: string,
  place: z.ZodType<Place>,
  { toJson = (given) => given, field = cursorField }: CursorOptions<Place> = {},
): Cursor<Place> {
  const schema = z.tuple([z.literal(list), place])
  return {
    write: (given) => encodeBase64Url(utf8(JSON.stringify([list, toJson(given)]))),
    read: (text) => {
      if (text === undefined) return null
      const parsed = schema.safeParse(decodeJson(text))
      if (!parsed.success)
        throw new AppError('invalid_cursor', 'The cursor does not belong to this list.', { fields: [field] })
      return parsed.data[1]
    },
  }
}

/** The JSON in a cursor; undefined if there is none. */
function decodeJson(text: string): unknown {
  const bytes = text.length > maxCursorLength ? null : decodeBase64Url(text)
  const json = bytes === null ? null : fromUtf8(bytes)
  if (json === null) return undefined
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const sortValues = { day, instant, id }

/** A cursor of a list that is sorted by day, time or id, and then by id. */
export function keyCursor(list: string, sortedBy: keyof typeof sortValues): Cursor<Key> {
  return cursorOf(list, z.tuple([sortValues[sortedBy], id]))
}

/** A cursor of a list with one row per day. */
export function dayCursor(list: string): Cursor<string> {
  return cursorOf(list, day)
}

/** The response body of a page. */
export function pageBody<Row, View>(
  page: Page<Row>,
  cursor: Cursor<Key>,
  view: (row: Row) => View,
): { data: View[]; next_cursor: string | null } {
  return { data: page.rows.map(view), next_cursor: page.next === null ? null : cursor.write(page.next) }
}
