// Deploys the probe with the operator's wrangler login, and deletes it and its queue afterwards. Both have a name of
// this run; nothing else in the account is changed.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ProbeProject } from './project.ts'

/** Runs wrangler with these arguments and resolves with its output. */
export type Wrangler = (args: readonly string[]) => Promise<string>

const commandTimeoutMs = 180_000
const readyTimeoutMs = 120_000
const readyPollMs = 2_000
const address = /https:\/\/[\w.-]+\.workers\.dev/

export function wranglerIn(folder: string): Wrangler {
  const program = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js')
  return async (args) => {
    const options = { cwd: folder, timeout: commandTimeoutMs, env: { ...process.env, NO_COLOR: '1' } }
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], options)
    return stdout
  }
}

async function whenReady(url: string): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  for (;;) {
    const status = await fetch(`${url}/health`, { signal: AbortSignal.timeout(readyPollMs) }).then(
      (response) => response.status,
      () => 0,
    )
    if (status === 200) return
    if (performance.now() > deadline) throw new Error(`The probe at ${url} is not there in time.`)
    await delay(readyPollMs)
  }
}

/** Attempts every deletion. Reports the first failure and what is left in the account. */
async function deleteProbe({ name }: ProbeProject, wrangler: Wrangler): Promise<void> {
  const work = [
    ['delete', '--name', name, '--force'],
    ['queues', 'delete', name],
  ]
  const failed: string[] = []
  for (const args of work)
    await wrangler(args).catch(() => {
      failed.push(`wrangler ${args.join(' ')}`)
    })
  if (failed.length > 0) throw new Error(`Left in your account; delete it by: ${failed.join('; ')}`)
}

/**
 * Creates the queue, deploys, waits for the address, runs `use`, and deletes both again, also after a failure.
 * @param ready resolves when the address responds; replaced in tests
 */
export async function withDeployedProbe<Result>(
  project: ProbeProject,
  wrangler: Wrangler,
  use: (url: string) => Promise<Result>,
  ready: (url: string) => Promise<void> = whenReady,
): Promise<Result> {
  await wrangler(['queues', 'create', project.name])
  try {
    const output = await wrangler(['deploy'])
    const url = address.exec(output)?.[0]
    if (url === undefined) throw new Error('wrangler deploy printed no workers.dev address.')
    await ready(url)
    return await use(url)
  } finally {
    await deleteProbe(project, wrangler)
  }
}
