// Runs one wrangler command with the project's wrangler.toml, without telemetry, update check or prompts.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import * as z from 'zod'
import { projectFolder } from './project-folder.ts'

const run = promisify(execFile)
const outputOf = z.object({ stdout: z.string(), stderr: z.string() })
const maxOutputBytes = 64_000_000

export interface WranglerOptions {
  /** The configuration file; by default the project's wrangler.toml. */
  readonly config?: string
  /** A script that Node runs instead of the pinned wrangler. */
  readonly program?: string
  /** What wrangler reads from its standard input. */
  readonly input?: string
  /** Further environment variables. */
  readonly variables?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

function pinnedWrangler(): string {
  return join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js')
}

/** What a failed command printed: wrangler writes errors to either stream. */
function printedBy(error: unknown): string {
  const printed = outputOf.safeParse(error).data
  if (printed === undefined) return String(error)
  // It colours errors in spite of NO_COLOR.
  return stripVTControlCharacters(printed.stderr.trim() || printed.stdout.trim() || String(error)).trim()
}

/** The command's standard output. Rejects with its standard error if it fails. Its log goes into `folder`. */
export async function runWrangler(
  args: readonly string[],
  folder: string,
  options: WranglerOptions = {},
): Promise<string> {
  const { config = join(projectFolder, 'wrangler.toml'), program = pinnedWrangler(), input, timeoutMs = 0 } = options
  const env = {
    ...process.env,
    CI: '1',
    NO_COLOR: '1',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(folder, 'logs'),
    ...options.variables,
  }
  const settings = { cwd: projectFolder, env, timeout: timeoutMs, maxBuffer: maxOutputBytes }
  const running = run(process.execPath, [program, ...args, '-c', config], settings)
  // A command that fails before it reads its input closes the pipe; its exit code says why.
  running.child.stdin?.on('error', () => undefined)
  running.child.stdin?.end(input)
  try {
    return (await running).stdout
  } catch (error) {
    throw new Error(printedBy(error), { cause: error })
  }
}
