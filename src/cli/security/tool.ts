// Runs an external scanner with a time limit and returns its output.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as z from 'zod'

const run = promisify(execFile)
const outputSchema = z.object({ stdout: z.string().default(''), killed: z.boolean().default(false) })

export interface Said {
  readonly text: string
  /** Stopped at its time limit. */
  readonly stopped: boolean
}

/** The output of a tool, also if it failed or was stopped at its time limit. Ended when `signal` is aborted. */
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

/**
 * The versions of the tools.
 * @throws Error that says how to install missing ones
 */
export async function requireTools(names: readonly string[]): Promise<string[]> {
  const versions = await Promise.all(names.map((name) => run(name, ['--version']).catch(() => null)))
  const missing = names.filter((_, index) => versions[index] === null)
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not installed: run \`apt-get install -y ${missing.join(' ')}\`.`)
  return names.map((name, index) => `${name} ${/\d+(?:\.\d+)+/.exec(versions[index]?.stdout ?? '')?.[0] ?? 'unknown'}`)
}
