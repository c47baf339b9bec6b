// The place of a client in the change feed, as the text `since`: of a read from the start, or the number up to which it has read.
// It names the epoch of the feed, so that it expires with a restore.
import * as z from 'zod'
import { type FeedPlace, feedKinds } from '../../../db/read/feed.ts'
import { type Cursor, cursorOf } from '../../pagination.ts'
import { day, id, instant } from '../../schemas.ts'

const number = z.int().min(0)
const after = (sortValue: z.ZodType<string>) => z.tuple([sortValue, id]).nullable()
const days = z.tuple([z.enum(['recurring_stream', 'investment_transaction']), after(day)])
const places = [
  z.tuple([z.enum(['item', 'account']), after(instant)]),
  z.tuple([z.enum(['holding', 'liability']), after(id)]),
  days,
  z.tuple([z.literal('transaction'), after(z.string().regex(/^\d{1,15}$/))]),
] as const

const since = z.union([
  z.tuple([number, number]).transform(([epoch, seq]) => ({ epoch, seq, place: null })),
  z
    .tuple([number, number, z.union(places)])
    .transform(([epoch, seq, [kind, position]]) => ({ epoch, seq, place: { kind, after: position } })),
])

export interface Since {
  /** Null for a number alone, which belongs to any epoch. */
  readonly epoch: number | null
  /** The number up to which the client has read; within a read from the start, its number. */
  readonly seq: number
  /** The place in a read from the start; null after it. */
  readonly place: FeedPlace | null
}

/** Nothing was read. */
const beginning = { epoch: null, seq: 0, place: { kind: feedKinds[0], after: null } } satisfies Since

export const sinceField = { pointer: 'since', detail: 'Must be the `next_since` of the previous response, or 0.' }

const cursor: Cursor<Since> = cursorOf('changes', since, {
  toJson: ({ epoch, seq, place }) => (place === null ? [epoch, seq] : [epoch, seq, [place.kind, place.after]]),
  field: sinceField,
})

/** The text to begin with, and to begin with again. */
export const startText = '0'

export const writeSince = (place: Since & { readonly epoch: number }): string => cursor.write(place)

/** @throws AppError `invalid_cursor` */
export function readSince(text: string): Since {
  if (text === startText) return beginning
  if (/^[1-9]\d{0,14}$/.test(text)) return { epoch: null, seq: Number(text), place: null }
  return cursor.read(text) ?? beginning
}
