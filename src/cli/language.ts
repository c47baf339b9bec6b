// `npm run language`: fails where a text that people read uses a word that docs/glossary.md replaces.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { findInFile, type Finding } from './language/find.ts'
import { notCleanYet } from './language/not-clean.ts'

const help = `npm run language [-- --all]

Fails where a text that people read uses a word that docs/glossary.md replaces: summaries and descriptions of the API,
error details, e-mails, the documentation, and test titles, which begin with a finite verb or with their subject.
Prints file, line, word and suggestion.
  --all   prints the findings of files that are not clean yet, too`

const read =
  /(?:^|\/)(?:README|CONTRIBUTING)\.md$|^docs\/(?!glossary\.md$)|^test\/(?!unit\/cli\/language\.).*\.ts$|^src\/(?!db\/|dev\/|cli\/).*\.ts$/

export interface FileFinding extends Finding {
  readonly file: string
}

/** The findings of all tracked files, by file. */
export async function findEverywhere(): Promise<FileFinding[]> {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: projectFolder,
    maxBuffer: 16 * 1024 * 1024,
  })
  const files = stdout.split('\0').filter((name) => read.test(name))
  const found = await Promise.all(
    files.map(async (file) => {
      const content = await readFile(join(projectFolder, file), 'utf8').catch(() => '')
      return findInFile(file, content).map((one) => ({ ...one, file }))
    }),
  )
  return found.flat()
}

const isBelow = (file: string, path: string): boolean => file === path || file.startsWith(`${path}/`)

/** What fails the check: findings outside the list, and entries of the list that have none. */
export function judge(found: readonly FileFinding[], exempt: readonly string[]): string[] {
  const findings = found.filter(({ file }) => !exempt.some((path) => isBelow(file, path)))
  const clean = exempt.filter((path) => !found.some(({ file }) => isBelow(file, path)))
  return [
    ...findings.map(({ file, line, word, suggestion }) => `${file}:${line}: "${word}" → ${suggestion}`),
    ...clean.map((path) => `src/cli/language/not-clean.ts: ${path} is clean: remove it from the list`),
  ]
}

if (import.meta.main)
  await runCommand(help, async (args) => {
    const { values } = parseArgs({ args, options: { all: { type: 'boolean', default: false } } })
    const found = await findEverywhere()
    const problems = judge(found, values.all ? [] : notCleanYet)
    for (const problem of problems) process.stdout.write(`${problem}\n`)
    if (problems.length > 0) throw new Error(`${problems.length} texts need another word.`)
    process.stdout.write(`No text needs another word; ${notCleanYet.length} paths are exempt.\n`)
  })
