// One read of 100 transactions: against the same statements without a Worker, the isolate's processor time, and the share
// of the rate limiter.
import { Agent, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { median, rounded } from '../bench/result.ts'
import type { Received } from './listener.ts'
import { type LocalStack, originOf } from './local-stack.ts'
import { type Member, readPaths } from './population.ts'
import { namesOf, openInspector, profileDuring, type SelfTime, selfTimeOf } from './profile.ts'
import { withoutConnection } from './recorder.ts'
import type { Finding } from './traffic.ts'

const [path] = readPaths
const warmUps = 30
/** Well within the highest quota of the Worker with rate limits. */
const mostRounds = 3000
const mostRatio = 1.5
const mostCpuMs = 2
const topFunctions = 12
/** The read takes this many rows. */
const rowsRead = 100

interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Sends a request over a connection that stays open, reads the whole response, and returns the milliseconds. */
async function timed(agent: Agent, { url, method, headers, body }: Asked, check?: (text: string) => void) {
  const started = performance.now()
  const { status, bytes } = await new Promise<{ status: number; bytes: Buffer }>((resolve, reject) => {
    const asked = request(url, { agent, method, headers }, (answer) => {
      buffer(answer).then((read) => resolve({ status: answer.statusCode ?? 0, bytes: read }), reject)
    })
    asked.once('error', reject)
    asked.end(body)
  })
  const ms = performance.now() - started
  if (status !== 200) throw new Error(`${method} ${url} returned ${status}: ${bytes.toString().slice(0, 500)}`)
  check?.(bytes.toString())
  return ms
}

interface Sides {
  readonly read: Asked
  readonly limited: Asked
  /** A Worker that only forwards the statements. */
  readonly floor: Asked
  readonly statements: readonly Asked[]
}

const readAt = (origin: string, { headers }: Member): Asked => ({ url: `${origin}${path}`, method: 'GET', headers })

function checkRows(text: string): void {
  const found: unknown = JSON.parse(text)
  const rows = typeof found === 'object' && found !== null && 'data' in found ? found.data : null
  if (!Array.isArray(rows) || rows.length !== rowsRead) throw new Error(`The read did not return ${rowsRead} rows.`)
}

const statementOf = (endpoint: string, { method, headers, body }: Received): Asked => ({
  url: endpoint,
  method,
  body,
  headers: {
    ...withoutConnection(headers),
    'content-length': String(body.length),
  },
})

/** In turns, so that other load on the machine affects all sides equally. */
async function measureInTurns(agent: Agent, sides: Sides, seconds: number, signal: AbortSignal) {
  const times = { read: [] as number[], limited: [] as number[], floor: [] as number[], direct: [] as number[] }
  const round = async (isKept: boolean): Promise<void> => {
    const read = await timed(agent, sides.read)
    let direct = 0
    for (const statement of sides.statements) direct += await timed(agent, statement)
    const floor = await timed(agent, sides.floor)
    const limited = await timed(agent, sides.limited)
    if (!isKept) return
    times.floor.push(floor)
    times.read.push(read)
    times.direct.push(direct)
    times.limited.push(limited)
  }
  for (let count = 0; count < warmUps; count += 1) await round(false)
  const until = performance.now() + seconds * 1000
  while (performance.now() < until && times.read.length < mostRounds) {
    signal.throwIfAborted()
    await round(true)
  }
  const { read, direct, floor, limited } = times
  return { read: median(read), direct: median(direct), floor: median(floor), limited: median(limited) }
}

interface Profiled extends SelfTime {
  readonly reads: number
}

async function profileReads(
  stack: LocalStack,
  read: () => Promise<number>,
  seconds: number,
  signal: AbortSignal,
): Promise<Profiled> {
  const { inspectorUrl } = await stack.inspected()
  if (inspectorUrl === null) throw new Error('workerd has no inspector.')
  const inspector = await openInspector(inspectorUrl)
  try {
    for (let count = 0; count < warmUps; count += 1) await read()
    let reads = 0
    const profile = await profileDuring(inspector, async () => {
      const until = performance.now() + seconds * 1000
      while (performance.now() < until) {
        signal.throwIfAborted()
        await read()
        reads += 1
      }
    })
    return { ...selfTimeOf(profile, await namesOf(stack.bundle)), reads }
  } finally {
    inspector.close()
  }
}

const perRead = (ms: number, { reads }: Profiled): number => rounded(ms / reads)

export interface OneRead {
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
}

export async function measureOneRead(
  stack: LocalStack,
  member: Member,
  seconds: number,
  signal: AbortSignal,
): Promise<OneRead> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const inspected = readAt(originOf(await stack.inspected()), member)
    const readOnce = (): Promise<number> => timed(agent, inspected, checkRows)
    for (let count = 0; count < warmUps; count += 1) await readOnce()
    const recorded = await stack.recorder.during(async () => void (await readOnce()))
    if (recorded.length === 0) throw new Error('The read sent no statement.')
    const forwarded = recorded.map(({ method, headers, body }) => ({
      url: stack.endpoint,
      method,
      headers: withoutConnection(headers),
      body: body.toString(),
    }))
    const floor = originOf(await stack.floor(forwarded))
    const sides = {
      floor: { url: `${floor}/`, method: 'GET', headers: {} },
      read: readAt(originOf(stack.worker), member),
      limited: readAt(originOf(await stack.limited()), member),
      statements: recorded.map((received) => statementOf(stack.endpoint, received)),
    }
    const times = await measureInTurns(agent, sides, seconds, signal)
    const profiled = await profileReads(stack, () => timed(agent, inspected), seconds, signal)
    const cpuMs = perRead(profiled.busyMs, profiled)
    const ratio = rounded(times.read / times.direct)
    const limiterMs = rounded(times.limited - times.read)
    return {
      findings: [
        {
          name: 'read of 100, p50, against its statements alone',
          value: rounded(times.read),
          unit: 'ms',
          against: rounded(times.direct),
          target: `≤ ${mostRatio} ×`,
          ok: ratio <= mostRatio,
        },
        {
          name: 'read of 100, processor time of the isolate',
          value: cpuMs,
          unit: 'ms',
          target: `< ${mostCpuMs} ms`,
          ok: cpuMs < mostCpuMs,
        },
        {
          name: 'a Worker that only forwards these statements, p50',
          value: rounded(times.floor),
          unit: 'ms',
          against: rounded(times.direct),
        },
        { name: 'read of 100, garbage collection', value: perRead(profiled.garbageMs, profiled), unit: 'ms' },
        { name: 'read of 100, p50, added by rate limits', value: limiterMs, unit: 'ms', against: rounded(times.read) },
      ],
      notes: [
        `Processor time of a read by function (${profiled.reads} reads):`,
        ...profiled.functions.slice(0, topFunctions).map(({ name, ms }) => `  ${perRead(ms, profiled)} ms  ${name}`),
      ],
    }
  } finally {
    agent.destroy()
  }
}
