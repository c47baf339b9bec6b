// Runs built Workers and their Durable Objects in one workerd, with local disk storage. Without `wrangler dev`, its
// proxies and its reloading. Several versions of the Worker can share the objects, as during a deployment.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { configurationOf, modules, type Version } from './workerd-config.ts'

const stopTimeoutMs = 5_000
const readyTimeoutMs = 30_000
/** The first descriptor that a process does not have by default. */
const controlDescriptor = 3
/** The name of the inspector among the sockets; no socket has it. */
const inspectorSocket = '(inspector)'

export interface WorkerdOptions {
  readonly projectFolder: string
  /** Gets the configuration and the objects' storage, which an earlier run may have left there. */
  readonly folder: string
  /** The built module. */
  readonly bundle: string
  /** The built module of another version, which runs at the same time and shares the objects and the queue. */
  readonly previous?: string
  /** Whose classes serve the Durable Objects; `current` by default. */
  readonly objectsOf?: Version
  /** Added to the variables of wrangler.toml. */
  readonly variables: Readonly<Record<string, string>>
  /** `HOST:PORT` of an HTTP server that receives the messages of every queue. By default they are dropped. */
  readonly queue?: string
  /** The id by which the Worker names its version; by default it names none, as without a deployment. */
  readonly versionId?: string
  /** Whether the isolates can be inspected. */
  readonly inspector?: boolean
  readonly signal: AbortSignal
}

/** A message of a queue as the platform delivers it. */
export interface Delivered {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly body: unknown
  /** 1 for the first delivery. */
  readonly attempts: number
}

const queueResult = z.object({
  outcome: z.string(),
  ackAll: z.boolean(),
  retryBatch: z.object({ retry: z.boolean(), delaySeconds: z.number().optional() }),
  explicitAcks: z.array(z.string()),
  retryMessages: z.array(z.object({ msgId: z.string(), delaySeconds: z.number().optional() })),
})
/** What the consumer decided about each message. */
export type QueueResult = z.infer<typeof queueResult>

const cronResult = z.object({ outcome: z.string() })

export interface Workerd {
  readonly port: number
  /** The port of the previous version; null without one. */
  readonly previousPort: number | null
  /** The process that serves the Worker and its objects. */
  readonly pid: number
  /** The inspector of the current version, a WebSocket; null without `inspector`. */
  readonly inspectorUrl: string | null
  /** Runs the consumer of the queue of that name. */
  deliver(queue: string, messages: readonly Delivered[], version?: Version): Promise<QueueResult>
  /** Runs the cron trigger. Rejects where it failed. */
  fireCron(cron: string, version?: Version): Promise<void>
  stop(): Promise<void>
}

/** The workerd program that wrangler runs. */
function findProgram(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'))
  return z.object({ default: z.string() }).parse(require('workerd')).default
}

const event = z.discriminatedUnion('event', [
  z.object({ event: z.literal('listen'), socket: z.string(), port: z.int() }),
  z.object({ event: z.literal('listen-inspector'), port: z.int() }),
])

/** Resolves with the ports by socket, once workerd reports that it listens on all of them. */
async function whenListening(
  child: ChildProcess,
  sockets: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const control = child.stdio[controlDescriptor]
  if (!control || !('read' in control)) throw new Error('workerd has no control descriptor.')
  const errors: string[] = []
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  const limit = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)])
  const ended = once(child, 'exit', { signal: limit }).then(([code]) => {
    throw new Error(`workerd ended with code ${String(code)} before it listened:\n${errors.join('')}`)
  })
  const listening = async (): Promise<ReadonlyMap<string, number>> => {
    const ports = new Map<string, number>()
    for await (const line of createInterface({ input: control, signal: limit })) {
      const said = event.parse(JSON.parse(line))
      ports.set(said.event === 'listen' ? said.socket : inspectorSocket, said.port)
      if (sockets.every((socket) => ports.has(socket))) return ports
    }
    throw new Error('workerd closed its control descriptor.')
  }
  // The promise that loses the race rejects later; its rejection is expected.
  ended.catch(() => {})
  return await Promise.race([listening(), ended])
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

async function post(port: number, path: string, body: object): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`workerd answered ${response.status} to ${path}: ${await response.text()}`)
  return await response.json()
}

/** Writes the configuration and the modules it names. Returns the file. */
async function prepare(options: WorkerdOptions): Promise<string> {
  const { folder, bundle, previous, objectsOf = 'current', queue = null, versionId = null } = options
  await mkdir(join(folder, 'objects'), { recursive: true })
  await copyFile(bundle, join(folder, modules.current))
  if (previous !== undefined) await copyFile(previous, join(folder, modules.previous))
  const file = join(folder, 'workerd.capnp')
  const hasPrevious = previous !== undefined
  const configuration = await configurationOf({ ...options, hasPrevious, objectsOf, queue, versionId })
  await writeFile(file, configuration, { mode: 0o600 })
  return file
}

/** Starts workerd and resolves when it listens. After a failure no process is left. */
export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const { folder, previous, inspector = false, signal } = options
  const file = await prepare(options)
  // Durable Objects on local disk need `--experimental` in workerd; `wrangler dev` uses them, too.
  const args = ['serve', file, '--experimental', `--control-fd=${controlDescriptor}`]
  if (inspector) args.push('--inspector-addr=127.0.0.1:0')
  const child = spawn(findProgram(), args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const stop = (): Promise<void> => end(child)
  const sockets = [
    'current',
    'events',
    ...(previous === undefined ? [] : ['previous']),
    ...(inspector ? [inspectorSocket] : []),
  ]
  try {
    const ports = await whenListening(child, sockets, signal)
    const portOf = (socket: string): number => ports.get(socket) ?? 0
    if (child.pid === undefined) throw new Error('workerd has no process id.')
    return {
      port: portOf('current'),
      previousPort: previous === undefined ? null : portOf('previous'),
      pid: child.pid,
      inspectorUrl: inspector ? `ws://127.0.0.1:${portOf(inspectorSocket)}/current` : null,
      deliver: async (queue, messages, version = 'current') =>
        queueResult.parse(await post(portOf('events'), `/${version}/queue`, { queue, messages })),
      async fireCron(cron, version = 'current') {
        const { outcome } = cronResult.parse(await post(portOf('events'), `/${version}/cron`, { cron }))
        if (outcome !== 'ok') throw new Error(`The cron ${cron} ended with ${outcome}.`)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
