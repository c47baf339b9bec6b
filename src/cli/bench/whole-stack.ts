// A database, a bank and built Workers with their queues, as in `npm run dev`: for benchmarks of what a user waits for.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { buildBundle, noAssets } from '../../dev/lib/bundle.ts'
import { freePort } from '../../dev/lib/ports.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { signToken } from '../../dev/lib/sign-token.ts'
import { startSimulator } from '../../dev/plaid-simulator/server.ts'
import { clientId, send, startHere, variables } from './linked-worker.ts'
import { type ScratchDatabase, startScratchDatabase } from './scratch-database.ts'

export interface WholeStack {
  readonly database: ScratchDatabase
  /** The built module of this version. */
  readonly entry: string
  /** Starts a Worker that reads all products; `given` is added to its variables. It stops with the stack. */
  startWorker(entry: string, given?: Readonly<Record<string, string>>): Promise<StackWorker>
  /** Creates a public token at the bank; `bank` is the password of a custom user of Plaid's sandbox. */
  makePublicToken(bank: string, products: readonly string[]): Promise<string>
  stop(): Promise<void>
}

export interface StackWorker {
  /** Sends a request as a user. Rejects unless the response is a success. */
  post(subject: string, path: string, body?: object): Promise<unknown>
  /** Sends a request as a user. Resolves with any status. */
  fetchAs(subject: string, path: string): Promise<Response>
  /** The same for a GET. */
  getAs(subject: string, path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
}

async function startStackWorker(
  folder: string,
  entrypoint: string,
  given: (api: string, secretKey: string) => Record<string, string>,
): Promise<StackWorker & { stop(): Promise<void> }> {
  const [secretKey, port] = [randomBytes(32).toString('hex'), await freePort()]
  const api = `http://127.0.0.1:${port}`
  const worker = await startHere({
    config: join(projectFolder, 'wrangler.toml'),
    entrypoint,
    build: { bundle: false },
    assets: await noAssets(folder),
    envFiles: ['/dev/null'],
    bindings: Object.fromEntries(
      Object.entries(given(api, secretKey)).map(([name, value]) => [name, { type: 'secret_text' as const, value }]),
    ),
    dev: { server: { hostname: '127.0.0.1', port }, inspector: false, persist: folder, watch: false, logLevel: 'none' },
  })
  await worker.ready
  const authorizationOf = async (subject: string) => ({
    authorization: `Bearer ${await signToken({ secret: secretKey, subject, ttlSeconds: 3600 })}`,
  })
  return {
    post: async (subject, path, body) => await send(`${api}${path}`, 'POST', await authorizationOf(subject), body),
    fetchAs: async (subject, path) =>
      await fetch(`${api}${path}`, { method: 'POST', headers: await authorizationOf(subject) }),
    getAs: async (subject, path, headers = {}) =>
      await fetch(`${api}${path}`, { headers: { ...headers, ...(await authorizationOf(subject)) } }),
    stop: () => worker.dispose(),
  }
}

/** Starts the stack. After a failure nothing is left running. */
export async function startWholeStack(say: (line: string) => void, signal: AbortSignal): Promise<WholeStack> {
  const undo: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-bench-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    say('building')
    const { entry } = await buildBundle(join(folder, 'built'))
    const database = await startScratchDatabase()
    undo.push(() => database.stop())
    const plaidSecret = randomBytes(16).toString('hex')
    const historyDelayMs = { initial: 0, historical: 0 }
    const simulator = await startSimulator({
      port: 0,
      clientId,
      secret: plaidSecret,
      historyDelayMs,
      rateLimits: false,
    })
    undo.push(() => simulator.stop())
    let started = 0
    return {
      database,
      entry,
      async startWorker(module, given = {}) {
        signal.throwIfAborted()
        started += 1
        const worker = await startStackWorker(join(folder, `state ${started}`), module, (api, secretKey) => ({
          ...variables(database, simulator.url, plaidSecret, secretKey),
          PLAID_WEBHOOK_URL: `${api}/api/v1/plaid/webhook`,
          PLAID_PRODUCTS: 'transactions,investments,liabilities',
          ...given,
        }))
        undo.push(() => worker.stop())
        return worker
      },
      async makePublicToken(bank, products) {
        const made = await send(
          `${simulator.url}/sandbox/public_token/create`,
          'POST',
          {},
          {
            client_id: clientId,
            secret: plaidSecret,
            institution_id: 'ins_109508',
            initial_products: products,
            options: {
              override_username: 'user_custom',
              override_password: bank,
              transactions: { days_requested: 730 },
            },
          },
        )
        return z.object({ public_token: z.string() }).parse(made).public_token
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Links a bank for the user. Resolves with the item's id. */
export async function exchange(worker: StackWorker, subject: string, publicToken: string): Promise<string> {
  const path = '/api/v1/plaid/item/public_token/exchange'
  const body = { public_token: publicToken, allow_duplicate: true }
  return z.object({ id: z.string() }).parse(await worker.post(subject, path, body)).id
}
