// Reads for many minutes, and what memory does meanwhile: of the whole process without an inspector, and of an isolate by
// its inspector, in another process with a smaller load.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { rounded } from '../bench/result.ts'
import { fire } from './generator.ts'
import { type LocalStack, originOf } from './local-stack.ts'
import { type Member, readsOf } from './population.ts'
import { heapBytes, openInspector } from './profile.ts'
import { criteriaOf, type Finding, type Traffic, trafficOf } from './traffic.ts'

const run = promisify(execFile)
const megabyte = 1024 * 1024
const sampleMs = 2000
/** Growth of the second half's median over the first's that is not growth but noise: the heap breathes. */
const flatShare = 0.1
const fewestSamples = 8

export interface Sample {
  /** Requests so far. */
  readonly requests: number
  readonly bytes: number
}

export interface Memory {
  readonly firstMb: number
  readonly secondMb: number
  /** Least squares over the second half, in kilobytes for 1,000 requests. */
  readonly slopeKb: number
  readonly isFlat: boolean
}

/** Resident memory of a process. */
export async function residentBytes(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
  }
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) * 1024
}

const middle = (samples: readonly Sample[]): number =>
  samples.map(({ bytes }) => bytes).sort((one, other) => one - other)[Math.floor(samples.length / 2)] ?? Number.NaN

function slope(samples: readonly Sample[]): number {
  const n = samples.length
  const meanX = samples.reduce((sum, { requests }) => sum + requests, 0) / n
  const meanY = samples.reduce((sum, { bytes }) => sum + bytes, 0) / n
  const above = samples.reduce((sum, { requests, bytes }) => sum + (requests - meanX) * (bytes - meanY), 0)
  const below = samples.reduce((sum, { requests }) => sum + (requests - meanX) ** 2, 0)
  return below === 0 ? 0 : above / below
}

/** Compares the second half with the first. Too few samples are not flat: they show nothing. */
export function memoryOf(samples: readonly Sample[]): Memory {
  const half = Math.floor(samples.length / 2)
  const [first, second] = [middle(samples.slice(0, half)), middle(samples.slice(half))]
  return {
    firstMb: rounded(first / megabyte),
    secondMb: rounded(second / megabyte),
    slopeKb: rounded((slope(samples.slice(half)) * 1000) / 1024),
    isFlat: samples.length >= fewestSamples && second <= first * (1 + flatShare),
  }
}

function findingsOf(name: string, { firstMb, secondMb, slopeKb, isFlat }: Memory, isJudged: boolean): Finding[] {
  const target = isJudged ? { target: `≤ ${100 + flatShare * 100} % of the first half`, ok: isFlat } : {}
  return [
    { name: `soak: ${name}, second half against the first`, value: secondMb, unit: 'MB', against: firstMb, ...target },
    { name: `soak: ${name}, growth for 1,000 requests`, value: slopeKb, unit: 'kB' },
  ]
}

/** Samples until `signal` aborts. */
async function watch(measure: () => Promise<number>, count: () => number, signal: AbortSignal): Promise<Sample[]> {
  const samples: Sample[] = []
  while (!signal.aborted) {
    samples.push({ requests: count(), bytes: await measure() })
    await delay(sampleMs, undefined, { signal }).catch(() => undefined)
  }
  return samples
}

export async function soak(
  stack: LocalStack,
  members: readonly Member[],
  { minutes, connections }: { minutes: number; connections: number },
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<{ traffic: Traffic[]; findings: Finding[] }> {
  const inspected = await stack.inspected()
  const inspector = await openInspector(inspected.inspectorUrl ?? '')
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const seconds = minutes * 60
  const shots = readsOf(members)
  let [sent, sentBeside] = [0, 0]
  try {
    const watches = [
      watch(
        () => residentBytes(stack.worker.pid),
        () => sent,
        either,
      ),
      watch(
        () => heapBytes(inspector),
        () => sentBeside,
        either,
      ),
    ] as const
    // A failure of a watch ends the run below; until then nothing awaits it.
    for (const watching of watches) watching.catch(() => undefined)
    const beside = fire({
      origin: originOf(inspected),
      shots,
      connections: 1,
      seconds,
      signal,
      onResponse: () => void (sentBeside += 1),
    })
    const progress = setInterval(() => say(`soak: ${sent} reads`), 30_000)
    const fired = await Promise.all([
      fire({
        origin: originOf(stack.worker),
        shots,
        connections,
        seconds,
        signal,
        onResponse: () => void (sent += 1),
      }),
      beside,
    ]).finally(() => clearInterval(progress))
    over.abort()
    const [resident, heap] = await Promise.all(watches)
    const traffic = trafficOf('soak', fired[0].outcomes, fired[0].seconds)
    return {
      traffic: [traffic],
      findings: [
        ...criteriaOf(traffic),
        ...findingsOf('resident memory of workerd', memoryOf(resident), true),
        ...findingsOf('heap of an isolate, after collections', memoryOf(heap), true),
      ],
    }
  } finally {
    over.abort()
    inspector.close()
  }
}
