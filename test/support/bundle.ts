// Starts the built Worker for tests over HTTP: in this process, or as a separate process group that a test may kill. It
// is the bundle that a deployment would upload, built once a run.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { unstable_startWorker } from 'wrangler'
import { groupCommands } from '../../src/dev/lib/left-over-group.ts'
import { signalProcess, waitUntilGone } from '../../src/dev/lib/processes.ts'
import { noAssets } from '../../src/dev/lib/bundle.ts'
import { startWorker } from '../../src/dev/stack/worker.ts'
import { COVERAGE_PATH } from './line-coverage/instrument.ts'
import { connectStack } from './stack.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'

const killTimeoutMs = 10_000

export interface RunOptions {
  /** The Worker's variables and secrets. It reads no others. */
  bindings: Record<string, string>
  /** Where Durable Objects, queues and R2 keep their state. By default a new folder that is removed at the end. */
  stateFolder?: string
  /** By default any free port. A Worker that restarts at the same address needs the same port. */
  port?: number
  /** A wrangler.toml to use instead of the project's. */
  config?: string
  /** The folder of the console's files; by default there is no console. */
  assets?: string
}

export interface RunningWorker {
  url: string
  /** Every line that the Worker has written so far. */
  logs(): string[]
  dispose(): Promise<void>
}

export interface KillableWorker extends RunningWorker {
  /** Sends SIGKILL to all of its processes, as in a power failure. Call `dispose` afterwards. */
  kill(): Promise<void>
}

/** A folder for the Worker's state, and a function that removes it if it was created here. */
async function stateFolder(given: string | undefined): Promise<{ folder: string; remove: () => Promise<void> }> {
  if (given !== undefined) return { folder: given, remove: () => Promise.resolve() }
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-state-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Saves the counters of an instrumented Worker before it ends. A killed Worker's counters are lost. */
async function keepCoverage(url: string): Promise<void> {
  const target = process.env['BUNDLE_COVERAGE_FOLDER']
  if (!target) return
  const counts = await fetch(new URL(COVERAGE_PATH, url)).then(
    (response) => response.text(),
    () => '{}',
  )
  await writeFile(join(target, `${randomUUID()}.json`), counts)
}

/** Starts the bundle in this process, in about half a second. */
export async function startBundle({
  bindings,
  stateFolder: given,
  port = 0,
  config,
  assets,
}: RunOptions): Promise<RunningWorker> {
  const entrypoint = await connectStack(inject('control')).bundle()
  const { folder, remove } = await stateFolder(given)
  const lines: string[] = []
  const worker = await unstable_startWorker({
    config: config ?? join(projectFolder, 'wrangler.toml'),
    entrypoint,
    build: { bundle: false },
    assets: assets ?? (await noAssets(folder)),
    // With an empty list, wrangler would read a developer's .dev.vars.
    envFiles: ['/dev/null'],
    bindings: Object.fromEntries(
      Object.entries(bindings).map(([name, value]) => [name, { type: 'secret_text' as const, value }]),
    ),
    dev: {
      server: { hostname: '127.0.0.1', port },
      inspector: false,
      persist: folder,
      watch: false,
      logLevel: 'none',
      structuredLogsHandler: ({ message }: { message: string }) => void lines.push(message),
    },
  })
  await worker.ready
  const url = await worker.url
  const dispose = async () => {
    await keepCoverage(new URL(url).href)
    await worker.dispose()
    await remove()
  }
  return { url: new URL(url).origin, logs: () => [...lines], dispose }
}

/**
 * Starts the bundle in separate processes, in about two seconds. Started again after `kill` with the same `stateFolder`
 * and `port`, it finds the state that survived.
 */
export async function startKillableBundle(options: RunOptions): Promise<KillableWorker> {
  const bundle = await connectStack(inject('control')).bundle()
  const { folder, remove } = await stateFolder(options.stateFolder)
  const lines: string[] = []
  const worker = await startWorker({
    projectFolder,
    folder,
    port: options.port ?? 0,
    variables: options.bindings,
    bundle,
    onLine: (line) => void lines.push(line),
    onExit: (message) => void lines.push(message),
    signal: new AbortController().signal,
  })
  const kill = async () => {
    signalProcess(-worker.pid, 'SIGKILL')
    await waitUntilGone(async () => (await groupCommands(worker.pid)).length === 0, killTimeoutMs)
  }
  const dispose = async () => {
    await keepCoverage(worker.url)
    await worker.stop()
    await remove()
  }
  return { url: worker.url, logs: () => [...lines], kill, dispose }
}
