// The list of people who were erased: `npm run erasure -- list` writes it, and `restore` and `settle` read it, because a backup
// from before an erasure does not know of it. It has no names: a person is a hash of issuer and subject.
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { type Connection, select } from '../../backup/connection.ts'
import { parseJson, type Tombstone, tombstoneSchema } from '../../backup/tombstones.ts'
import { erasureColumns } from '../../db/privacy/erasure-columns.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { misuse } from '../../dev/lib/run-command.ts'

/** Every erasure of a database, also those in progress, oldest first. */
export const listErased = (connection: Connection): Promise<Tombstone[]> =>
  select(connection, tombstoneSchema, `select ${erasureColumns} from erasures e order by e.requested_at, id`)

const headSchema = z.strictObject({ listed_at: z.iso.datetime() })

/** The first line of a list: who is erased later is not in it. */
export const listHead = (now: Date): string => JSON.stringify({ listed_at: now.toISOString() })

export interface ErasedList {
  /** A time at which the list was complete; null where it has none. */
  readonly completeAt: string | null
  readonly erasures: readonly Tombstone[]
}

/** The erasures of a file: a JSON object a line, and the time of the list in the first one. */
export async function readErased(file: string): Promise<ErasedList> {
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) throw misuse(`There is no file ${file}.`)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const head = headSchema.safeParse(parseJson(lines[0] ?? ''))
  const erasures = lines.slice(head.success ? 1 : 0).map((line) => {
    const parsed = tombstoneSchema.safeParse(parseJson(line))
    if (!parsed.success)
      throw misuse(`Line ${lines.indexOf(line) + 1} of ${file} is not an erasure as \`erasure -- list\` writes it.`)
    return parsed.data
  })
  return { completeAt: head.success ? head.data.listed_at : null, erasures }
}
