// The list of people who were erased: `npm run erasure -- list` writes it, and `restore` and `settle` read it, because a backup
// from before an erasure does not know of it. It has no names: a person is a hash of issuer and subject.
import { readFile } from 'node:fs/promises'
import { type Connection, select } from '../../backup/connection.ts'
import { parseJson, type Tombstone, tombstoneSchema } from '../../backup/tombstones.ts'
import { erasureColumns } from '../../db/privacy/erasure-columns.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { misuse } from '../../dev/lib/run-command.ts'

/** Every erasure of a database, also those in progress, oldest first. */
export const listErased = (connection: Connection): Promise<Tombstone[]> =>
  select(connection, tombstoneSchema, `select ${erasureColumns} from erasures e order by e.requested_at, id`)

/** The erasures of a file: a JSON object a line. */
export async function readErased(file: string): Promise<Tombstone[]> {
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) throw misuse(`There is no file ${file}.`)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line, index) => {
    const parsed = tombstoneSchema.safeParse(parseJson(line))
    if (!parsed.success)
      throw misuse(`Line ${index + 1} of ${file} is not an erasure as \`erasure -- list\` writes it.`)
    return parsed.data
  })
}
