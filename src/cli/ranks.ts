// `npm run ranks`: fails if an import violates the table of ranks, or if files import one another in a circle.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { checkRanks, findCircles, findUnused, type SourceFile } from './ranks/check.ts'

const help = `npm run ranks

Fails where a file of src/ or drizzle/ imports what the table in src/cli/ranks/table.ts does not allow, where files import
one another in a circle, and where the table names what does not exist. Names file, line and rule.`

/** The files that the table of ranks covers. */
export async function readSources(): Promise<SourceFile[]> {
  const folders = await Promise.all(
    ['src', 'drizzle'].map(async (folder) =>
      (await readdir(join(projectFolder, folder), { recursive: true })).map((path) => `${folder}/${path}`),
    ),
  )
  const paths = folders.flat().filter((path) => /\.tsx?$/.test(path) && !path.includes('node_modules/'))
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(projectFolder, path), 'utf8') })),
  )
}

if (import.meta.main)
  await runCommand(help, async (args) => {
    parseArgs({ args, options: {} })
    const files = await readSources()
    const problems = [
      ...checkRanks(files).map(({ path, line, problem }) => `${path}:${line}: ${problem}`),
      ...findCircles(files).map((circle) => `a circle: ${circle.join(' → ')}`),
      ...findUnused(files).map((name) => `src/cli/ranks/table.ts: there is no ${name}`),
    ]
    for (const problem of problems) process.stdout.write(`${problem}\n`)
    if (problems.length > 0) throw new Error(`${problems.length} imports are against the architecture.`)
  })
