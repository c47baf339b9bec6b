// The stored state of the alarms: of each rule, and the notifications that were not delivered yet. It is kept with the
// metrics and not in the database, so that an outage of the database can be an alarm.
import * as z from 'zod'

const severity = z.enum(['page', 'ticket'])

const ruleState = z.object({
  phase: z.enum(['ok', 'pending', 'firing']),
  /** Since when the phase lasts. */
  sinceMs: z.number(),
  /** Since when a fired alarm's condition is gone. */
  clearSinceMs: z.number().nullable(),
  /** Since when there was nothing to measure. */
  absentSinceMs: z.number().nullable(),
  /** The last measured value; null without data. */
  value: z.number().nullable(),
  /** The last times at which it fired. */
  firedAtMs: z.array(z.number()),
  evaluatedAtMs: z.number(),
})
export type RuleState = z.output<typeof ruleState>

const notification = z.object({
  /** Stable: a notification that is sent twice has the same id. */
  id: z.string(),
  kind: z.enum(['fired', 'resolved']),
  alarm: z.string(),
  severity,
  summary: z.string(),
  unit: z.string(),
  value: z.number().nullable(),
  /** The value from which on the alarm fires. */
  threshold: z.number(),
  /** Since when the alarm fires, and when this happened. */
  sinceMs: z.number(),
  atMs: z.number(),
  /** Whether Sentry got it. */
  isReported: z.boolean(),
  attempts: z.int(),
  nextAttemptMs: z.number(),
})
export type Notification = z.output<typeof notification>

export const bookSchema = z.object({
  /** Of two runs at the same time, the second one finds another version and stops. */
  version: z.int(),
  /** When the rules were evaluated for the first time. */
  startedAtMs: z.number(),
  evaluatedAtMs: z.number(),
  rules: z.record(z.string(), ruleState),
  /** Oldest first. */
  outbox: z.array(notification),
})
export type Book = z.output<typeof bookSchema>

const versioned = z.object({ version: z.int() })

/** The version of a stored book, which another version of the Worker may have written; 0 for none. */
export const versionOf = (stored: unknown): number => versioned.safeParse(stored).data?.version ?? 0

export const emptyBook = (nowMs: number): Book => ({
  version: 0,
  startedAtMs: nowMs,
  evaluatedAtMs: nowMs,
  rules: {},
  outbox: [],
})

/** Where the book is kept. */
export interface BookStore {
  /** Null before the first evaluation. */
  readAlarms(): Promise<unknown>
  /** Replaces the book of version `version`, 0 for none; false if another run has replaced it. */
  saveAlarms(version: number, book: Book): Promise<boolean>
}
