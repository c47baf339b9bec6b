// A file of all events, so that a restarted simulator has the items of the previous one. Contains only events that
// change the world; faults, webhook faults and call records are not kept.
import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { longestHistoryDays } from '../bank/history-days.ts'
import type { Settings } from './options.ts'

const event = z.discriminatedUnion('op', [
  z.object({ op: z.literal('endpoint'), path: z.string(), body: z.string() }),
  z.object({ op: z.literal('bank'), item_id: z.string(), body: z.string() }),
  z.object({ op: z.literal('link'), body: z.string() }),
  z.object({ op: z.literal('client'), body: z.string() }),
  z.object({ op: z.literal('clock'), body: z.string() }),
  z.object({ op: z.literal('step'), item_id: z.string(), step: z.enum(['initial', 'historical', 'investments']) }),
  z.object({ op: z.literal('mutation'), item_id: z.string() }),
])
const line = z.object({ at: z.number(), event })
/** Journals of earlier versions have no `history_days`: all banks had two years. */
const heading = z.object({ seed: z.string(), history_days: z.int().default(longestHistoryDays) })

/** An event. Bodies are JSON text, so that no digit is lost. */
export type JournalEvent = z.infer<typeof event>
export type JournalLine = z.infer<typeof line>

export interface Journal {
  note(happened: JournalEvent): void
  /** Empties the file: a new world with this seed begins. */
  begin(seed: string): void
}

export const noJournal: Journal = { note: () => undefined, begin: () => undefined }

interface Opened {
  readonly journal: Journal
  /** What the banks of this world are made from. */
  readonly seed: string
  readonly historyDays: number
  readonly lines: JournalLine[]
}

/**
 * Opens the file, or creates it for a new world of these settings. The file's values replace them.
 * @throws Error if the file is not a journal
 */
export function openJournal(file: string, { seed, historyDays }: Pick<Settings, 'seed' | 'historyDays'>): Opened {
  const begin = (from: string, days: number): void =>
    writeFileSync(file, `${JSON.stringify({ seed: from, history_days: days })}\n`)
  if (!existsSync(file)) begin(seed, historyDays)
  const text = readFileSync(file, 'utf8')
  // A killed simulator can leave an incomplete last line. A line counts only with its newline.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const [head = '', ...rest] = whole.split('\n').slice(0, -1)
  const known = heading.safeParse(parsed(head))
  if (!known.success) throw new Error(`${file} is not a journal of the simulator: move it away`)
  const lines = rest.map((each) => line.parse(parsed(each)))
  if (whole !== text) truncateSync(file, Buffer.byteLength(whole))
  return {
    seed: known.data.seed,
    historyDays: known.data.history_days,
    lines,
    journal: {
      begin: (next) => begin(next, known.data.history_days),
      note: (happened) => appendFileSync(file, `${JSON.stringify({ at: Date.now(), event: happened })}\n`),
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
