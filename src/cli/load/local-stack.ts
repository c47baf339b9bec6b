// The nearest thing to production on one machine: the built, minified Worker in plain workerd, and PostgreSQL, the Neon
// endpoint and the bank each in its own process. The queue is in this process, as light as it can be.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { bootstrap, type LoginUrls } from '../../dev/lib/bootstrap.ts'
import { buildBundle } from '../../dev/lib/bundle.ts'
import { migrate } from '../../dev/lib/migrate.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { type QueueBroker, startQueueBroker } from '../../dev/lib/queue-broker.ts'
import { startWorkerd, type Workerd } from '../../dev/lib/workerd-process.ts'
import { startPostgres } from '../../dev/postgres/server.ts'
import { type Child, startChild } from './child.ts'
import { type Deliveries, receiveDeliveries, webhookPath } from './signed-deliveries.ts'
import { type Forwarded, floorVariables, writeFloorModule } from './floor.ts'
import { type Recorder, startRecorder } from './recorder.ts'

export const clientId = 'load'
const syncQueue = 'wealthnavigator-sync'
/** As wrangler.toml says. */
const maxRetries = 5
/** Syncs at the same time. Production has up to 250, each in a separate isolate. */
const consumers = 2

export interface LocalStack {
  /** The owner of the tables. */
  readonly owner: Client
  /** The Neon endpoint's URL. */
  readonly endpoint: string
  readonly bank: Child
  readonly plaidSecret: string
  readonly secretKey: string
  /** Serves the phases: rate limits off, no inspector. */
  readonly worker: Workerd
  readonly queue: QueueBroker
  readonly deliveries: Deliveries
  /** The same Worker with rate limits; with an inspector, and its database behind `recorder`. Starts at the first call. */
  readonly limited: () => Promise<Workerd>
  readonly inspected: () => Promise<Workerd>
  /** Starts a Worker that only forwards these requests. */
  readonly floor: (forwarded: readonly Forwarded[]) => Promise<Workerd>
  readonly recorder: Recorder
  /** The module that runs, with its source map. */
  readonly bundle: string
  stop(): Promise<void>
}

export const originOf = ({ port }: Workerd): string => `http://127.0.0.1:${port}`

interface Around {
  readonly logins: LoginUrls
  readonly endpoint: string
  readonly plaidUrl: string
  readonly plaidSecret: string
  readonly secretKey: string
  readonly encryptionKey: string
  readonly webhookUrl: string
}

const variables = (around: Around): Record<string, string> => ({
  ENVIRONMENT: 'development',
  PLAID_ENV: 'sandbox',
  PLAID_CLIENT_ID: clientId,
  PLAID_SECRET: around.plaidSecret,
  PLAID_BASE_URL: around.plaidUrl,
  PLAID_WEBHOOK_URL: around.webhookUrl,
  PLAID_PRODUCTS: 'transactions,investments,liabilities',
  // The syncs of minutes of webhooks: Plaid's own limits would make them wait, and that wait is not measured here.
  PLAID_LIMITS: JSON.stringify({
    sync: { item: 10_000, client: 1_000_000 },
    accounts: { item: 10_000, client: 1_000_000 },
    recurring: { item: 10_000, client: 1_000_000 },
  }),
  DATABASE_URL: around.logins.apiUrl,
  DATABASE_JOBS_URL: around.logins.jobsUrl,
  DATABASE_IDENTITY_URL: around.logins.identityUrl,
  DATABASE_ENDPOINT: around.endpoint,
  SECRET_KEY: around.secretKey,
  ENCRYPTION_KEY: around.encryptionKey,
  RATE_LIMIT_ENABLED: 'false',
})

/** Far above what one run sends, so that requests are counted and none is refused. */
const highQuotas = { RATE_LIMIT_ENABLED: 'true', RATE_LIMITS: JSON.stringify({ global: 10_000, global_hour: 10_000 }) }

const standIn = (path: string): string => join(projectFolder, 'src', 'dev', path)

/** Starts each part. Registers with `undo` how to end it. */
async function startParts(
  undo: (step: () => Promise<unknown>) => void,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Omit<LocalStack, 'stop'>> {
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-load-'))
  undo(() => rm(folder, { recursive: true, force: true }))
  say('building the Worker')
  const { entry: bundle } = await buildBundle(join(folder, 'built'))
  signal.throwIfAborted()
  say('starting PostgreSQL, the Neon endpoint, the bank and workerd')
  const postgres = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
  undo(() => postgres.stop())
  signal.throwIfAborted()
  await migrate(postgres.url)
  const logins = await bootstrap(postgres.url)
  const owner = new Client(postgres.url)
  owner.on('error', () => undefined)
  await owner.connect()
  undo(() => owner.end())
  const login = { NEON_LOCAL_POSTGRES: postgres.url }
  const neon = await startChild(standIn('neon-local/bin.ts'), ['--port', '0'], login, signal)
  undo(() => neon.stop())
  const plaidSecret = randomBytes(16).toString('hex')
  const bankArgs = ['--port', '0', '--client-id', clientId, '--secret', plaidSecret, '--no-rate-limits']
  const bank = await startChild(
    standIn('plaid-simulator/bin.ts'),
    [...bankArgs, '--history-delay', '0,0', '--history-days', '120'],
    {},
    signal,
  )
  undo(() => bank.stop())
  const deliveries = await receiveDeliveries()
  undo(() => deliveries.stop())
  const endpoint = neon.url.endsWith('/sql') ? neon.url : `${neon.url}/sql`
  const recorder = await startRecorder(endpoint)
  undo(() => recorder.stop())
  const secretKey = randomBytes(32).toString('hex')
  const around = {
    logins,
    endpoint,
    plaidUrl: bank.url,
    plaidSecret,
    secretKey,
    encryptionKey: randomBytes(32).toString('base64'),
    webhookUrl: `${deliveries.origin}${webhookPath}`,
  }
  let started = 0
  const start = async (
    given: Record<string, string>,
    more: { queue?: string; inspector?: true; bundle?: string } = {},
  ): Promise<Workerd> => {
    started += 1
    const place = { projectFolder, folder: join(folder, `workerd ${started}`), bundle, signal }
    const workerd = await startWorkerd({ ...place, ...more, variables: given })
    undo(() => workerd.stop())
    return workerd
  }
  let deliver: Workerd['deliver'] = () => Promise.reject(new Error('The Worker has not started.'))
  const queue = await startQueueBroker({
    deliver: (message) => deliver(syncQueue, [message]),
    concurrency: consumers,
    maxRetries,
  })
  undo(() => queue.stop())
  const own = variables(around)
  const worker = await start(own, { queue: queue.address })
  deliver = (name, messages) => worker.deliver(name, messages)
  const once = (make: () => Promise<Workerd>): (() => Promise<Workerd>) => {
    let made: Promise<Workerd> | undefined
    return () => (made ??= make())
  }
  return {
    owner,
    endpoint,
    bank,
    plaidSecret,
    secretKey,
    worker,
    queue,
    deliveries,
    recorder,
    bundle,
    limited: once(() => start({ ...own, ...highQuotas })),
    inspected: once(() => start({ ...own, DATABASE_ENDPOINT: recorder.url }, { inspector: true })),
    floor: async (forwarded) => await start(floorVariables(forwarded), { bundle: await writeFloorModule(folder) }),
  }
}

/** Starts all of it. After a failure nothing is left running. */
export async function startLocalStack(say: (line: string) => void, signal: AbortSignal): Promise<LocalStack> {
  const undoing: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let step = undoing.pop(); step !== undefined; step = undoing.pop())
      // A part that fails to stop must not keep the others running.
      await step().catch((error: unknown) => say(`a part did not stop: ${String(error)}`))
  }
  try {
    const parts = await startParts((step) => void undoing.push(step), say, signal)
    return { ...parts, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
