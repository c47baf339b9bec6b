// Runs a built Worker and its Durable Objects in one workerd, with local disk storage. Without `wrangler dev`, its
// proxies, its inspector and its reloading.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { unstable_readConfig } from 'wrangler'
import * as z from 'zod'

const stopTimeoutMs = 5_000
const readyTimeoutMs = 30_000
/** The first descriptor that a process does not have by default. */
const controlDescriptor = 3

export interface WorkerdOptions {
  readonly projectFolder: string
  /** Must not exist. Gets the configuration and the objects' storage. */
  readonly folder: string
  /** The built module. */
  readonly bundle: string
  /** Added to the variables of wrangler.toml. */
  readonly variables: Readonly<Record<string, string>>
  /** `HOST:PORT` of an HTTP server that receives the messages of every queue. By default they are dropped. */
  readonly queue?: string
  readonly signal: AbortSignal
}

export interface Workerd {
  readonly port: number
  /** The process that serves the Worker and its objects. */
  readonly pid: number
  stop(): Promise<void>
}

const deployed = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  vars: z.record(z.string(), z.string()),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  queues: z.object({ producers: z.array(z.object({ binding: z.string() })) }),
})

/** The workerd program that wrangler runs. */
function findProgram(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'))
  return z.object({ default: z.string() }).parse(require('workerd')).default
}

/** Cap'n Proto's text strings have the syntax of JSON's for printable characters. */
const quoted = (text: string): string => JSON.stringify(text)
const listed = (items: readonly string[]): string => `[${items.join(', ')}]`

/** The workerd configuration that corresponds to wrangler.toml's top level. No queue has a consumer. */
function configurationOf({ projectFolder, variables, queue }: WorkerdOptions): string {
  const config = join(projectFolder, 'wrangler.toml')
  const settings = deployed.parse(unstable_readConfig({ config, env: '' }, { hideWarnings: true }))
  const objects = settings.durable_objects.bindings
  const bindings = [
    ...Object.entries({ ...settings.vars, ...variables }).map(([name, text]) => [name, `text = ${quoted(text)}`]),
    ...settings.queues.producers.map(({ binding }) => [binding, 'queue = "queue"']),
    ...objects.map(({ name, class_name: type }) => [name, `durableObjectNamespace = ${quoted(type)}`]),
  ].map(([name = '', value]) => `(name = ${quoted(name)}, ${value})`)
  const namespaces = objects.map(
    ({ class_name: type }) => `(className = ${quoted(type)}, uniqueKey = ${quoted(type)}, enableSql = true)`,
  )
  const date = `compatibilityDate = ${quoted(settings.compatibility_date)}`
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "queue", ${queue === undefined ? 'worker = .nowhere' : `external = (address = ${quoted(queue)}, http = ())`}),
    (name = "disk", disk = (path = "objects", writable = true)),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  ${date},
  compatibilityFlags = ${listed(settings.compatibility_flags.map(quoted))},
  bindings = ${listed(bindings)},
  durableObjectNamespaces = ${listed(namespaces)},
  durableObjectStorage = (localDisk = "disk"),
);
const nowhere :Workerd.Worker = (
  modules = [(name = "nowhere.js", esModule = "export default { fetch: () => new Response() }")],
  ${date},
);
`
}

/** Resolves with the port once workerd reports that it listens. */
async function whenListening(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const control = child.stdio[controlDescriptor]
  if (!control) throw new Error('workerd has no control descriptor.')
  const errors: string[] = []
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  const said = z.object({ event: z.literal('listen'), port: z.int() })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)])
  const ended = once(child, 'exit', { signal: limit }).then(([code]) => {
    throw new Error(`workerd ended with code ${String(code)} before it listened:\n${errors.join('')}`)
  })
  const listening = once(control, 'data', { signal: limit }).then(
    ([bytes]) => said.parse(JSON.parse(String(bytes).split('\n')[0] ?? '')).port,
  )
  // The promise that loses the race rejects later; its rejection is expected.
  ended.catch(() => {})
  return await Promise.race([listening, ended])
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const stopped = new AbortController()
  const force = async (): Promise<void> => {
    await delay(stopTimeoutMs, undefined, { signal: stopped.signal })
    child.kill('SIGKILL')
  }
  const forcing = force().catch(() => {})
  await ended
  stopped.abort()
  await forcing
}

/** Starts workerd and resolves when it listens. After a failure no process is left. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { folder, bundle, signal } = options
  await mkdir(join(folder, 'objects'), { recursive: true })
  await copyFile(bundle, join(folder, 'worker.js'))
  const file = join(folder, 'workerd.capnp')
  await writeFile(file, configurationOf(options), { mode: 0o600 })
  // Durable Objects on local disk need `--experimental` in workerd; `wrangler dev` uses them, too.
  const args = ['serve', file, '--experimental', `--control-fd=${controlDescriptor}`]
  const child = spawn(findProgram(), args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const stop = (): Promise<void> => end(child)
  try {
    const port = await whenListening(child, signal)
    if (child.pid === undefined) throw new Error('workerd has no process id.')
    return { port, pid: child.pid, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
