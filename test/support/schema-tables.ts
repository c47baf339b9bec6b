// Every table that drizzle/tables declares: a table of tomorrow is in the list too. In Node.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

export async function schemaTables(): Promise<PgTable[]> {
  const folder = join(projectFolder, 'drizzle', 'tables')
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts'))
  const modules = await Promise.all(files.map(async (file) => Object.values<unknown>(await import(join(folder, file)))))
  return modules.flat().filter((value) => is(value, PgTable))
}
