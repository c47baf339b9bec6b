// The temporary Worker that the assertions about Cloudflare call. Each path uses one feature of the platform and notes
// what happened in a Durable Object. Contains no secret and no data; a request without its key gets 404.
import { scrypt } from 'node:crypto'
import { DurableObject } from 'cloudflare:workers'

interface Env {
  readonly PROBE_KEY: string
  readonly PROBE: DurableObjectNamespace<Probe>
  readonly QUEUE: Queue<ProbeMessage>
}

interface ProbeMessage {
  readonly id: string
  /** What the consumer does: acknowledge, ask for a retry after so many seconds, or throw. */
  readonly act: 'ack' | 'retry' | 'throw'
  readonly delaySeconds?: number
}

interface Note {
  readonly at: number
  readonly what: string
}

/** Notes by name, an alarm, a counter. */
export class Probe extends DurableObject<Env> {
  async note(name: string, what: string): Promise<void> {
    const notes = (await this.ctx.storage.get<Note[]>(name)) ?? []
    await this.ctx.storage.put(name, [...notes, { at: Date.now(), what }])
  }

  async notes(name: string): Promise<Note[]> {
    return (await this.ctx.storage.get<Note[]>(name)) ?? []
  }

  async setAlarm(name: string, afterMs: number): Promise<void> {
    await this.ctx.storage.put('alarm', name)
    await this.ctx.storage.setAlarm(Date.now() + afterMs)
  }

  /** Whether an alarm remains after all storage was deleted. */
  async keepsAlarmWhenEmptied(): Promise<boolean> {
    await this.ctx.storage.setAlarm(Date.now() + 60_000)
    await this.ctx.storage.deleteAll()
    return (await this.ctx.storage.getAlarm()) !== null
  }

  override async alarm(): Promise<void> {
    await this.note((await this.ctx.storage.get<string>('alarm')) ?? 'alarm', 'alarm')
  }

  /** Reads, waits, writes: without input gates two concurrent calls would count one. */
  async increment(): Promise<number> {
    const count = (await this.ctx.storage.get<number>('count')) ?? 0
    await this.ctx.storage.put('count', count + 1)
    return count + 1
  }

  fail(): never {
    throw new RangeError('thrown inside the object')
  }
}

const log = (env: Env) => env.PROBE.get(env.PROBE.idFromName('log'))
const fresh = (env: Env) => env.PROBE.get(env.PROBE.newUniqueId())
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))
const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : 'no error')

const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => describe(error),
  )

function derive(): Promise<readonly number[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>()
  const bytes = (text: string) => new TextEncoder().encode(text)
  const cost = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 }
  scrypt(bytes('password'), bytes('salt'), 32, cost, (error, key) =>
    error === null ? resolve([...key]) : reject(error),
  )
  return promise
}

async function answer(request: Request, env: Env, context: ExecutionContext): Promise<unknown> {
  const { pathname, searchParams } = new URL(request.url)
  const name = searchParams.get('name') ?? ''
  const number = (key: string): number => Number(searchParams.get(key) ?? '0')
  switch (pathname) {
    case '/notes':
      return log(env).notes(name)
    case '/send': {
      const padding = 'x'.repeat(number('bytes'))
      const bodies = Array.from({ length: number('count') }, () => ({ body: { id: padding, act: 'ack' as const } }))
      return outcome(env.QUEUE.sendBatch(bodies))
    }
    case '/queue': {
      const act = searchParams.get('act') === 'throw' ? 'throw' : searchParams.get('act') === 'retry' ? 'retry' : 'ack'
      await env.QUEUE.send({ id: name, act, delaySeconds: number('delay') })
      return 'sent'
    }
    case '/linger': {
      const work = pause(number('ms')).then(() => log(env).note(name, 'finished'))
      if (searchParams.get('wait') === 'true') context.waitUntil(work)
      await work
      return 'lingered'
    }
    case '/alarm':
      await log(env).setAlarm(name, number('ms'))
      return 'set'
    case '/emptied':
      return fresh(env).keepsAlarmWhenEmptied()
    case '/increments': {
      const object = fresh(env)
      const counts = await Promise.all(Array.from({ length: number('count') }, () => object.increment()))
      return counts.toSorted((left, right) => left - right)
    }
    case '/failure':
      return outcome(fresh(env).fail())
    case '/address':
      return request.headers.get('cf-connecting-ip')
    case '/process-env':
      return Object.keys(process.env).includes('PROBE_KEY')
    case '/scrypt':
      return derive()
    default:
      return null
  }
}

export default {
  async fetch(request, env, context): Promise<Response> {
    if (new URL(request.url).pathname === '/health') return new Response('ok')
    if (request.headers.get('x-probe-key') !== env.PROBE_KEY) return new Response(null, { status: 404 })
    return Response.json(await answer(request, env, context))
  },

  async queue(batch, env): Promise<void> {
    for (const message of batch.messages) {
      const { id, act, delaySeconds = 0 } = message.body
      if (id.length < 100) await log(env).note(id, `attempt ${message.attempts} of a batch of ${batch.messages.length}`)
      if (act === 'throw') throw new Error('thrown by the consumer')
      if (act === 'retry') message.retry({ delaySeconds })
      else message.ack()
    }
  },

  async scheduled(controller, env): Promise<void> {
    await log(env).note('cron', controller.cron)
  },
} satisfies ExportedHandler<Env, ProbeMessage>
