// `npm run language`: fails where a text that people read uses a word that docs/glossary.md replaces.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { findInFile, type Finding } from './language/find.ts'
import { nullIfMissing } from '../dev/lib/missing.ts'

const help = `npm run language

Fails where a text that people read uses a word that docs/glossary.md replaces: summaries and descriptions of the API,
error details, e-mails, the documentation, comments, the help and the messages of commands, and test titles, which begin
with a finite verb or with their subject. Prints file, line, word and suggestion.`

const read =
  /(?:^|\/)(?:README|CONTRIBUTING)\.md$|^docs\/(?!glossary\.md$)|^test\/(?!unit\/cli\/language\.).*\.ts$|^(?:src|drizzle)\/.*\.ts$|^\.ci\/|^wrangler\.toml$/

interface FileFinding extends Finding {
  readonly file: string
}

/** The findings of all tracked files, by file. */
async function findEverywhere(): Promise<FileFinding[]> {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: projectFolder,
    maxBuffer: 16 * 1024 * 1024,
  })
  const files = stdout.split('\0').filter((name) => read.test(name))
  const found = await Promise.all(
    files.map(async (file) => {
      const content = await readFile(join(projectFolder, file), 'utf8').catch(nullIfMissing)
      return findInFile(file, content ?? '').map((one) => ({ ...one, file }))
    }),
  )
  return found.flat()
}

if (import.meta.main)
  await runCommand(help, async (args) => {
    parseArgs({ args, options: {} })
    const found = await findEverywhere()
    for (const { file, line, word, suggestion } of found)
      process.stdout.write(`${file}:${line}: "${word}" → ${suggestion}\n`)
    if (found.length > 0) throw new Error(`${found.length} texts need another word.`)
  })
