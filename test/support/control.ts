// The control server of a test run. Over loopback HTTP, tests in Node and in workerd get databases, simulators and
// faults. Starts each of them when it is first requested and ends all of them at the end.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import * as z from 'zod'
import { interceptions } from '../../src/dev/neon-local/server.ts'
import { createBuild } from './build.ts'
import { startDatabases } from './databases.ts'
import type { Databases } from './databases.ts'
import { createFaults } from './faults.ts'
import { createReceivers } from './receivers.ts'
import { createSimulators } from './simulators.ts'

const faultSchema = z.strictObject({
  kind: z.enum(interceptions).exclude(['pass']),
  matching: z.string().exactOptional(),
  after: z.int().nonnegative().exactOptional(),
  times: z.int().positive().exactOptional(),
})
const ms = z.number().nonnegative()
const simulatorSchema = z.strictObject({
  seed: z.string().exactOptional(),
  historyDelayMs: z.union([z.literal('manual'), z.object({ initial: ms, historical: ms })]).exactOptional(),
  historyDays: z.int().positive().exactOptional(),
  webhookRetryBaseMs: ms.exactOptional(),
  webhookTimeoutMs: ms.exactOptional(),
  rateLimits: z.literal(false).exactOptional(),
})

export interface Control {
  url: string
  stop(): Promise<void>
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

/** `testDatabaseUrl` is a server to use instead of an embedded one. */
export async function startControl(testDatabaseUrl: string | undefined): Promise<Control> {
  const faults = createFaults()
  const simulators = createSimulators()
  const receivers = createReceivers()
  const bundle = createBuild()
  let starting: Promise<Databases> | undefined
  const databases = () => (starting ??= startDatabases(testDatabaseUrl, (request) => faults.intercept(request)))

  const act = async (action: string, name: string, body: unknown): Promise<unknown> => {
    switch (action) {
      case 'POST databases':
        return (await databases()).create()
      case 'DELETE databases':
        return (await databases()).drop(name)
      case 'POST simulators':
        return simulators.start(simulatorSchema.parse(body))
      case 'DELETE simulators':
        return simulators.stop(name)
      case 'POST receivers':
        return receivers.open()
      case 'GET receivers':
        return receivers.take(name)
      case 'POST faults':
        return faults.add(name, faultSchema.parse(body))
      case 'POST bundle':
        return bundle.build()
      case 'POST console':
        return bundle.buildConsole()
      case 'DELETE faults':
        return faults.clear(name)
      default:
        throw new Error(`The test stack cannot ${action}`)
    }
  }

  const server = createServer((request, response) => {
    const [, kind = '', name = ''] = (request.url ?? '/').split('/')
    readText(request)
      .then((text) => {
        if (kind === 'webhooks')
          return receivers.keep(name, { body: text, plaidVerification: header(request, 'plaid-verification') })
        return act(`${request.method} ${kind}`, name, text === '' ? {} : JSON.parse(text))
      })
      .then((answer) => response.end(JSON.stringify(answer ?? null)))
      .catch((error: unknown) => {
        response.statusCode = 500
        response.end(error instanceof Error ? (error.stack ?? error.message) : 'unknown')
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The control server has no port.')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await simulators.stopAll()
      await bundle.remove()
      // The test that caused a failed start has already got its error.
      await starting?.then(
        (started) => started.stop(),
        () => undefined,
      )
    },
  }
}
