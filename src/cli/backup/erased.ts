// The list of people who were erased: `npm run erasure -- list` writes it, and `restore` reads it, because a backup from
// before an erasure does not know of it. It has no names: a person is a hash of issuer and subject.
import { readFile } from 'node:fs/promises'
import * as z from 'zod'
import { type Connection, select } from '../../backup/connection.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { misuse } from '../../dev/lib/run-command.ts'

const erasedRow = z.strictObject({
  id: z.uuid(),
  subject_hash: z.string().regex(/^[0-9a-f]{64}$/),
  requested_at: z.iso.datetime({ offset: true }),
})
export type Erased = z.output<typeof erasedRow>

/** Every erasure of a database, also those in progress, oldest first. */
export const listErased = (connection: Connection): Promise<Erased[]> =>
  select(
    connection,
    erasedRow,
    `select id, subject_hash, to_char(requested_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as requested_at
      from erasures e order by e.requested_at, id`,
  )

/** The erasures of a file: a JSON object a line. `none` is an empty list. */
export async function readErased(file: string | undefined): Promise<Erased[]> {
  if (file === undefined)
    throw misuse(
      'Say with --erasures which people were erased after the backup: the file of `erasure -- list`, or none.',
    )
  if (file === 'none') return []
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) throw misuse(`There is no file ${file}.`)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, index) => {
    const parsed = erasedRow.safeParse(parseJson(line))
    if (!parsed.success)
      throw misuse(`Line ${index + 1} of ${file} is not an erasure as \`erasure -- list\` writes it.`)
    return parsed.data
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
