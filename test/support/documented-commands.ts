// Runs the commands of a document as they are written, and notes which of them did not run.
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
  /** Runs a line of a `sh` block in the project's folder. Throws if the document has no such line. */
  run(command: string, options?: RunOptions): Promise<CommandOutcome>
  /** The lines that did not run. Settings of variables do not count. */
  left(): string[]
}

const linesOf = (text: string): string[] =>
  [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('export '))

/** @param name of the document, such as `docs/incident-response.md` */
export async function readCommands(name: string): Promise<DocumentedCommands> {
  const lines = linesOf(await readFile(join(projectFolder, name), 'utf8'))
  const done = new Set<string>()
  return {
    async run(command, { values = {}, env = {}, added = '' } = {}) {
      if (!lines.includes(command)) throw new Error(`${name} does not have the command ${command}`)
      done.add(command)
      const filled = Object.entries(values).reduce((text, [from, to]) => text.replaceAll(from, to), command)
      const bin = join(projectFolder, 'node_modules', '.bin')
      const options = {
        cwd: projectFolder,
        env: { PATH: `${bin}:${process.env['PATH']}`, HOME: process.env['HOME'], npm_config_loglevel: 'error', ...env },
      }
      try {
        return { code: 0, output: (await run('sh', ['-c', filled + added], options)).stdout }
      } catch (error) {
        const { code, stdout, stderr } = failure.parse(error)
        return { code, output: `${stdout}${stderr}` }
      }
    },
    left: () => lines.filter((line) => !done.has(line)),
  }
}
