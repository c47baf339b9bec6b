// Runs one wrangler command with the project's wrangler.toml, without telemetry, update check or prompts.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { projectFolder } from './project-folder.ts'

const run = promisify(execFile)
const outputOf = z.object({ stdout: z.string(), stderr: z.string() })

/** The command's standard output. Rejects with its standard error if it fails. Its log goes into `folder`. */
export async function runWrangler(args: readonly string[], folder: string): Promise<string> {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js')
  const config = ['-c', join(projectFolder, 'wrangler.toml')]
  const quiet = {
    CI: '1',
    NO_COLOR: '1',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(folder, 'logs'),
  }
  const env = { ...process.env, ...quiet }
  try {
    const { stdout } = await run(process.execPath, [wrangler, ...args, ...config], { cwd: projectFolder, env })
    return stdout
  } catch (error) {
    const printed = outputOf.safeParse(error).data
    const text = printed === undefined ? String(error) : printed.stderr || printed.stdout
    throw new Error(text.trim(), { cause: error })
  }
}
