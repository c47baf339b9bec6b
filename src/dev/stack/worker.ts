// Runs `wrangler dev` as a child process. It has a separate process group, so that one signal reaches all of it. Its
// variables are in a file that only its owner can read, because every user can see a command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { endGroup, forgetGroup, noteGroup } from '../lib/left-over-group.ts'
import { formatVariables, type Variables } from '../lib/local-variables.ts'
import { noAssets } from '../lib/bundle.ts'
import { type Level, levelOf, splitLines } from '../lib/output.ts'

const readyTimeoutMs = 60_000
const healthTimeoutMs = 30_000
const healthPollMs = 100
const requestTimeoutMs = 5_000

// Lines that wrangler prints at each load and that do not help here: the table of bindings, and that it runs no crons
// (the stack runs them).
const noise =
  /^(env\.\w+ |Binding +Resource|Your Worker has access|⎔ )|Scheduled Workers are not|manually trigger a scheduled|cdn-cgi\/local\/scheduled|test-cron-triggers|wrangler:info\] Ready/

const readyMessage = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.object({ event: z.literal('DEV_SERVER_READY'), port: z.int() }))

export interface WorkerOptions {
  projectFolder: string
  /** The folder for the Worker's state, its variables and the note of its process group. */
  folder: string
  port: number
  variables: Variables
  /** The folder of the console's files; by default there is no console. */
  assets?: string
  /** The prebuilt bundle to run; by default the source, which is watched. */
  bundle?: string
  onLine: (line: string, level: Level) => void
  /** Called when the Worker ends unexpectedly. */
  onExit: (message: string) => void
  signal: AbortSignal
}

export interface Worker {
  url: string
  /** The leader of its process group. */
  pid: number
  stop(): Promise<void>
  /** SIGKILL to all of its processes, like a power failure. `stop` is then not needed. */
  kill(): Promise<void>
}

function wranglerArguments({ projectFolder, folder, port, bundle }: WorkerOptions, assets: string, envFile: string) {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js')
  const entry = bundle === undefined ? [join(projectFolder, 'src', 'worker.ts')] : [bundle, '--no-bundle']
  const args = [wrangler, 'dev', ...entry]
  args.push('-c', join(projectFolder, 'wrangler.toml'), '--ip', '127.0.0.1', '--port', String(port))
  args.push('--assets', assets, '--inspector-port', '0', '--show-interactive-dev-session=false')
  return [...args, '--persist-to', join(folder, 'state'), '--env-file', envFile]
}

/** No account, no telemetry, no update check, nothing outside the data folder, and none of the Worker's variables. */
function wranglerEnvironment(folder: string): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']
  const inherited = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return {
    ...Object.fromEntries(inherited),
    CI: '1',
    NO_COLOR: '1',
    FORCE_COLOR: '0',
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_REGISTRY_PATH: join(folder, 'registry'),
    WRANGLER_LOG_PATH: join(folder, 'logs'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  }
}

/**
 * Resolves with the port when wrangler reports that it listens. Rejects if it ends, takes too long, or the start is
 * interrupted.
 */
function whenListening(child: ChildProcess, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('wrangler dev did not listen in time.')), readyTimeoutMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      reject(error)
    }
    child.once('error', fail)
    child.once('exit', (code) => fail(new Error(`wrangler dev ended with code ${code ?? 'none'}; its lines say why.`)))
    signal.addEventListener('abort', () => fail(new Error('stopped')), { once: true })
    child.on('message', (message) => {
      const ready = readyMessage.safeParse(message)
      if (!ready.success) return
      clearTimeout(timer)
      resolve(ready.data.port)
    })
  })
}

/** Waits until `GET /health` is 200. The proxy listens before the Worker is loaded. */
async function whenHealthy(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + healthTimeoutMs
  for (;;) {
    signal.throwIfAborted()
    const seen = await fetch(`${url}/health`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    }).then(
      async (response) => (response.ok ? null : `${response.status} ${(await response.text()).slice(0, 500)}`),
      (error: unknown) => (error instanceof Error ? error.message : 'no response'),
    )
    if (seen === null) return
    if (performance.now() > deadline) throw new Error(`The Worker is not healthy: GET ${url}/health gives ${seen}`)
    await delay(healthPollMs)
  }
}

/**
 * Starts the Worker and resolves when it is healthy. After a failure nothing is left running. `stop` sends SIGTERM,
 * then SIGKILL.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const folder = join(options.folder, 'worker')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const envFile = join(folder, 'variables.env')
  await rm(envFile, { force: true })
  await writeFile(envFile, formatVariables(options.variables), { mode: 0o600, flag: 'wx' })
  const assets = options.assets ?? (await noAssets(folder))
  const child = spawn(process.execPath, wranglerArguments({ ...options, folder }, assets, envFile), {
    cwd: options.projectFolder,
    env: wranglerEnvironment(folder),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const { pid } = child
  const forward = (otherwise: Level) =>
    splitLines((line) => {
      if (!noise.test(line)) options.onLine(line, levelOf(line, otherwise))
    })
  child.stdout?.setEncoding('utf8').on('data', forward('info'))
  child.stderr?.setEncoding('utf8').on('data', forward('warn'))
  const listening = whenListening(child, options.signal)
  if (pid === undefined) return listening.then(() => Promise.reject(new Error('wrangler dev has no process id.')))

  let stopping = false
  const end = async (signals?: readonly NodeJS.Signals[]) => {
    stopping = true
    await endGroup(pid, signals)
    await forgetGroup(options.folder)
  }
  const stop = () => end()
  const kill = () => end(['SIGKILL'])
  try {
    // Concurrently: if the start fails while the note is being written, that failure must already have a handler.
    const [port] = await Promise.all([listening, noteGroup(options.folder, pid)])
    const url = `http://127.0.0.1:${port}`
    await whenHealthy(url, options.signal)
    child.once('exit', () => {
      if (!stopping) options.onExit('wrangler dev ended unexpectedly')
    })
    if (child.exitCode !== null) throw new Error('wrangler dev ended as soon as it was ready.')
    return { url, pid, stop, kill }
  } catch (error) {
    await stop()
    throw error
  }
}
