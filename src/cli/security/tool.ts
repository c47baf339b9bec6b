// Runs an external scanner with a time limit and returns its output.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as z from 'zod'

const run = promisify(execFile)
const outputSchema = z.object({ stdout: z.string().default(''), killed: z.boolean().default(false) })

export interface Said {
  readonly text: string
  /** Ended for its time. */
  readonly stopped: boolean
}

/** What a tool wrote, also where it ended with an error or was stopped for its time. Ended when `signal` is aborted. */
export async function runTool(
  tool: string,
  args: readonly string[],
  seconds: number,
  signal: AbortSignal,
): Promise<Said> {
  const killSignal = 'SIGKILL' as const
  try {
    const { stdout } = await run(tool, args, {
      timeout: seconds * 1000,
      killSignal,
      maxBuffer: 64 * 1024 * 1024,
      signal,
    })
    return { text: stdout, stopped: false }
  } catch (error) {
    signal.throwIfAborted()
    const { stdout, killed } = outputSchema.parse(error)
    return { text: stdout, stopped: killed }
  }
}

/** What a tool says of its version, in a word. @throws Error that says how to install what is missing */
export async function requireTools(names: readonly string[]): Promise<string[]> {
  const versions = await Promise.all(names.map((name) => run(name, ['--version']).catch(() => null)))
  const missing = names.filter((_, index) => versions[index] === null)
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not installed: run \`apt-get install -y ${missing.join(' ')}\`.`)
  return names.map((name, index) => `${name} ${/\d+(?:\.\d+)+/.exec(versions[index]?.stdout ?? '')?.[0] ?? 'unknown'}`)
}
