// Where an isolate's processor time goes: V8's sampling profiler, through the isolate's inspector.
import { readFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { WebSocket } from 'ws'
import * as z from 'zod'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { median } from '../bench/result.ts'

const intervalUs = 200
/** Longer times between two samples are times in which the isolate did nothing, or another process had its processor. */
const longestGapUs = 3 * intervalUs

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), lineNumber: z.number(), columnNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})
export type Profile = z.output<typeof profileSchema>

export interface SelfTime {
  /** Milliseconds of processor time of functions, the Worker's and V8's own. */
  readonly busyMs: number
  readonly garbageMs: number
  readonly idleMs: number
  /** Self time by function, longest first. */
  readonly functions: readonly { readonly name: string; readonly ms: number }[]
}

/** The name of a function at a place of the bundle. */
export type NameOf = (line: number, column: number, name: string) => string

/** What V8 calls the time in which no function of the isolate ran. */
const idleNames = new Set(['(idle)', '(program)', '(root)'])

/** The time between two samples of a busy isolate, which is longer than requested. */
function periodOf(timeDeltas: readonly number[]): number {
  const short = timeDeltas.filter((us) => us > 0 && us < longestGapUs)
  return short.length === 0 ? intervalUs : median(short)
}

/** Each sample stands for one period of processor time, however long the isolate waited before it. */
export function selfTimeOf({ nodes, samples, timeDeltas }: Profile, nameOf: NameOf): SelfTime {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const periodMs = periodOf(timeDeltas) / 1000
  const totalMs = timeDeltas.reduce((sum, us) => sum + us, 0) / 1000
  const counts = new Map<string, number>()
  let [busy, garbage] = [0, 0]
  for (const id of samples) {
    const { functionName = '', lineNumber = 0, columnNumber = 0 } = frames.get(id) ?? {}
    if (functionName === '(garbage collector)') garbage += 1
    if (functionName === '(garbage collector)' || idleNames.has(functionName)) continue
    const name = nameOf(lineNumber, columnNumber, functionName)
    counts.set(name, (counts.get(name) ?? 0) + 1)
    busy += 1
  }
  return {
    busyMs: busy * periodMs,
    garbageMs: garbage * periodMs,
    idleMs: Math.max(0, totalMs - (busy + garbage) * periodMs),
    functions: [...counts]
      .map(([name, count]) => ({ name, ms: count * periodMs }))
      .sort((one, other) => other.ms - one.ms),
  }
}

const sourceSchema = z.object({ originalSource: z.string(), originalLine: z.number(), name: z.string().nullish() })

/** Names by the bundle's source map, which wrangler writes next to it; V8's own names without one. */
export async function namesOf(bundle: string): Promise<NameOf> {
  const text = await readFile(`${bundle}.map`, 'utf8').catch(nullIfMissing)
  const map = text === null ? null : new SourceMap(JSON.parse(text))
  return (line, column, name) => {
    const found = sourceSchema.safeParse(map?.findEntry(line, column)).data
    if (found === undefined) return name || '(anonymous)'
    const file = found.originalSource.split('/').slice(-3).join('/')
    return `${found.name ?? name} ${file}:${found.originalLine + 1}`.trim()
  }
}

export interface Inspector {
  /** Sends a command and resolves with its result. */
  send(method: string, params?: object): Promise<unknown>
  close(): void
}

/** workerd leaves out an empty result. */
const replySchema = z.object({ id: z.number(), result: z.unknown().optional(), error: z.unknown().optional() })
const replyTimeoutMs = 30_000

export async function openInspector(url: string): Promise<Inspector> {
  const socket = new WebSocket(url, { maxPayload: 1 << 30 })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const waiting = new Map<number, (reply: z.output<typeof replySchema>) => void>()
  // A Worker that ends closes the socket.
  socket.on('error', () => undefined)
  socket.on('message', (message: Buffer) => {
    const reply = replySchema.safeParse(JSON.parse(message.toString('utf8')))
    if (reply.success) waiting.get(reply.data.id)?.(reply.data)
  })
  let last = 0
  return {
    send: (method, params = {}) =>
      new Promise((resolve, reject) => {
        const id = (last += 1)
        const late = (): void => reject(new Error(`The inspector does not respond to ${method}.`))
        const timer = setTimeout(late, replyTimeoutMs)
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id)
          clearTimeout(timer)
          if (error === undefined) resolve(result)
          else reject(new Error(`The inspector refused ${method}.`))
        })
        socket.send(JSON.stringify({ id, method, params }))
      }),
    close: () => socket.terminate(),
  }
}

/** Profiles the isolate while `work` runs. */
export async function profileDuring(inspector: Inspector, work: () => Promise<void>): Promise<Profile> {
  await inspector.send('Profiler.enable')
  await inspector.send('Profiler.setSamplingInterval', { interval: intervalUs })
  await inspector.send('Profiler.start')
  await work()
  return z.object({ profile: profileSchema }).parse(await inspector.send('Profiler.stop')).profile
}

const heapSchema = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number().default(0),
  backingStorageSize: z.number().default(0),
})

/** Bytes in use after a collection: JavaScript's heap, the runtime's objects and the buffers. */
export async function heapBytes(inspector: Inspector): Promise<number> {
  await inspector.send('HeapProfiler.collectGarbage')
  const usage = heapSchema.parse(await inspector.send('Runtime.getHeapUsage'))
  return usage.usedSize + usage.embedderHeapUsedSize + usage.backingStorageSize
}
