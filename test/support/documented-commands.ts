// Runs the commands of a document as they are written, and notes which of them did not run. A command is a line of a `sh`
// block, or a code span that begins with a program.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const run = promisify(execFile)
const failure = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() })

export interface CommandOutcome {
  readonly code: number
  /** Standard output, and standard error if it failed. */
  readonly output: string
}

export interface RunOptions {
  /** Texts of the document that stand for a value of the reader, and the value. */
  readonly values?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Added at the end, such as ` --dry-run`. */
  readonly added?: string
}

export interface DocumentedCommands {
  /** Every command, once. */
  readonly all: readonly string[]
  /** Runs a command in the project's folder. Throws if the document does not have it. */
  run(command: string, options?: RunOptions): Promise<CommandOutcome>
  /** The commands that neither ran nor are in the list of those that cannot run here. Settings of variables do not count. */
  left(): string[]
}

/** Commands that no test runs, by document, with the reason. */
export const notRun: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'docs/disaster-recovery.md': {
    'npm run dev': 'test/e2e/local-stack.test.ts starts the local stack; the drill has its own Worker in its place',
    'npx wrangler r2 object get': 'a name; the page has the whole command elsewhere',
    'npx wrangler r2 bucket lock add BUCKET backups backups/ --retention-days 30': 'asks Cloudflare to lock a bucket',
    'npx wrangler r2 bucket lifecycle add BUCKET old backups/ --expire-days 40':
      'asks Cloudflare to delete old objects',
  },
  'docs/security.md': {
    'npm run pseudonym': 'a name; the page has the whole command elsewhere',
    'npm run freeze': 'a name; docs/incident-response.md has the whole commands',
    'npm run check': 'a name; CI runs it',
    'npm run test:security': 'needs sqlmap and wapiti; CI runs it each week',
  },
  'docs/retention.md': {
    'npm run bench -- --only retention': 'a measurement, which needs a quiet machine',
  },
  'docs/privacy.md': {
    'npm run bench -- --only export-heap': 'a measurement, which needs a quiet machine',
  },
}

const block = /^ *```(sh|bash)\n([\s\S]*?)^ *```$/gm

const blockCommands = (text: string): string[] =>
  [...text.matchAll(block)]
    .flatMap(([, , content = '']) => content.replaceAll(/\s*\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/\s{2,}#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('export '))

/** A code span may be broken over two lines. */
const spanCommands = (text: string): string[] =>
  [...text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').matchAll(/`((?:npm|npx|curl|age|age-keygen) [^`]+)`/g)].map(
    ([, span = '']) => span.replaceAll(/\s+/g, ' '),
  )

/** The commands of a document, each once. */
export async function commandsOf(name: string): Promise<string[]> {
  const text = await readFile(join(projectFolder, name), 'utf8')
  return [...new Set([...blockCommands(text), ...spanCommands(text)])]
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)

/** Replaces every key by its value in one pass, so that no value is replaced again. The longest key counts. */
function fill(text: string, values: Readonly<Record<string, string>>): string {
  const keys = Object.keys(values).toSorted((one, other) => other.length - one.length)
  if (keys.length === 0) return text
  return text.replaceAll(new RegExp(keys.map(escaped).join('|'), 'g'), (key) => values[key] ?? key)
}

/** @param name of the document, such as `docs/incident-response.md` */
export async function readCommands(name: string): Promise<DocumentedCommands> {
  const all = await commandsOf(name)
  const done = new Set<string>(Object.keys(notRun[name] ?? {}))
  return {
    all,
    async run(command, { values = {}, env = {}, added = '' } = {}) {
      if (!all.includes(command)) throw new Error(`${name} does not have the command ${command}`)
      done.add(command)
      const bin = join(projectFolder, 'node_modules', '.bin')
      const options = {
        cwd: projectFolder,
        maxBuffer: 64 * 1024 * 1024,
        env: { PATH: `${bin}:${process.env['PATH']}`, HOME: process.env['HOME'], npm_config_loglevel: 'error', ...env },
      }
      try {
        return { code: 0, output: (await run('sh', ['-c', fill(command, values) + added], options)).stdout }
      } catch (error) {
        const { code, stdout, stderr } = failure.parse(error)
        return { code, output: `${stdout}${stderr}` }
      }
    },
    left: () => all.filter((command) => !done.has(command)),
  }
}
