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

const headSchema = z.strictObject({ listed_at: z.iso.datetime(), erasures: z.int().min(0) })

/**
 * The first line of a list. Who is erased after `now` is not in it. The number shows whether the rest of the list is there:
 * a command that was stopped may have ended at the end of a line.
 */
export const listHead = (now: Date, erasures: number): string =>
  JSON.stringify({ listed_at: now.toISOString(), erasures })

/** The clocks of two machines differ by less. */
export const clockToleranceMs = 5 * 60_000

export interface ErasedList {
  /** A time at which the list was complete; null where it has no first line, and so may be cut off. */
  readonly completeAt: string | null
  readonly erasures: readonly Tombstone[]
}

function checkHead(file: string, head: z.output<typeof headSchema>, found: number): void {
  if (found !== head.erasures)
    throw misuse(
      `The first line of ${file} counts ${head.erasures}, and ${found} follow: the list was cut off or changed. Take` +
        ' another list, or write it again with `npm run -s erasure -- list`, which must end without an error.',
    )
  if (Date.parse(head.listed_at) > Date.now() + clockToleranceMs)
    throw misuse(
      `${file} is of ${head.listed_at}, which is in the future, so its age is not known: correct the clock of this` +
        ' machine or of the one that wrote the list, and write it again with `npm run -s erasure -- list`.',
    )
}

/**
 * The erasures of a file: a JSON object a line. The first one has the time of the list and the number of erasures.
 * @throws Error for a list that was cut off, or whose time has not come yet
 */
export async function readErased(file: string): Promise<ErasedList> {
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) throw misuse(`There is no file ${file}.`)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw misuse(`${file} is empty: take another list, or say --erasures none for no one.`)
  const head = headSchema.safeParse(parseJson(lines[0] ?? ''))
  const erasures = lines.slice(head.success ? 1 : 0).map((line) => {
    const parsed = tombstoneSchema.safeParse(parseJson(line))
    if (!parsed.success)
      throw misuse(`Line ${lines.indexOf(line) + 1} of ${file} is not an erasure as \`erasure -- list\` writes it.`)
    return parsed.data
  })
  if (head.success) checkHead(file, head.data, erasures.length)
  return { completeAt: head.success ? head.data.listed_at : null, erasures }
}
