// The inside of the Worker for tests: the real use cases, a real database and the simulator. The queue is a list that
// the test empties. Uses `fetch` alone, so it runs in workerd and in Node.
import { parseConfig } from '../../src/config/config.ts'
import type { Ctx, User } from '../../src/context.ts'
import { createLogger } from '../../src/monitoring/logger.ts'
import { consumeSync } from '../../src/queue/consumer.ts'
import { createServices } from '../../src/services.ts'
import type { Services } from '../../src/context.ts'
import type { SyncMessage } from '../../src/messages/message.ts'
import { receiveWebhook } from '../../src/webhooks/receive.ts'
import { type Bank, connectBank } from './bank.ts'
import { workerVariables } from './bindings.ts'
import { query } from './sql.ts'
import {
  connectStack,
  type Delivery,
  type SimulatorChoices,
  type Stack,
  type TestDatabase,
  type TestSimulator,
} from './stack.ts'

/** The result of a message: acknowledged, or the seconds until it is delivered again. */
type Handled = 'ack' | number

export interface World {
  readonly stack: Stack
  readonly database: TestDatabase
  readonly simulator: TestSimulator
  readonly bank: Bank
  readonly services: Services
  /** Messages that were sent and not yet consumed. */
  readonly queue: SyncMessage[]
  /** Every line that was logged. */
  readonly lines: string[]
  user(subject: string): Ctx<User>
  job(services?: Services): Ctx
  /** Consumes messages until none is left. A message to be retried is dropped; the sweep enqueues its product again. */
  drain(services?: Services): Promise<Handled[]>
  /** Consumes these messages instead of those in the queue. */
  consume(messages: readonly SyncMessage[], services?: Services): Promise<Handled[]>
  /** Webhooks that the simulator has sent and the test has not delivered to the Worker. */
  delivered(): Promise<Delivery[]>
  deliver(delivery: Delivery, services?: Services): Promise<void>
  /** Runs a statement as the owner of the tables, who sees every row. */
  sql(text: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Lets the time pass that leases, retries and freshness wait for. */
  elapse(): Promise<void>
  /** Starts a new isolate, without the webhook keys in memory and their request counts. */
  restartIsolate(): void
  stop(): Promise<void>
}

/** @param products the configured products; all by default */
export async function createWorld(
  control: string,
  choices: SimulatorChoices = {},
  products = 'transactions,investments,liabilities',
): Promise<World> {
  const stack = connectStack(control)
  const [database, simulator, receiver] = await Promise.all([
    stack.createDatabase(),
    stack.startSimulator({ historyDelayMs: 'manual', ...choices }),
    stack.openReceiver(),
  ])
  const queue: SyncMessage[] = []
  const lines: string[] = []
  const config = parseConfig({
    ...workerVariables(database),
    PLAID_BASE_URL: simulator.url,
    PLAID_WEBHOOK_URL: receiver.url,
    PLAID_CLIENT_ID: simulator.clientId,
    PLAID_SECRET: simulator.secret,
    PLAID_PRODUCTS: products,
    // Use cases do not count requests.
    RATE_LIMIT_ENABLED: 'false',
  })
  const startIsolate = (): Services =>
    createServices(config, {
      SYNC_QUEUE: { sendBatch: (messages) => Promise.resolve(queue.push(...[...messages].map(({ body }) => body))) },
    })
  const sql = (text: string, params: readonly unknown[] = []) =>
    query(database.endpoint, database.ownerUrl, text, params)
  let isolate = startIsolate()
  const services: Services = {
    ...isolate,
    wait: () => Promise.resolve(),
    // A message that a test removed from the queue is lost, so its product may be enqueued again.
    enqueue: async (...wanted) => {
      const waiting = queue.flatMap((message) => ('item_product_id' in message ? [message.item_product_id] : []))
      await sql(
        'update item_products set woken_until = null where woken_until is not null and not id = any($1::uuid[])',
        [`{${waiting.join(',')}}`],
      )
      return await isolate.enqueue(...wanted)
    },
    findWebhookKey: async (kid, now, network) => await isolate.findWebhookKey(kid, now, network),
  }
  const log = createLogger({}, { sink: (line) => lines.push(line), redactText: services.redact, minimumLevel: 'debug' })
  const common = { requestId: crypto.randomUUID(), now: () => new Date(), log }
  const job = (given: Services = services): Ctx => ({
    ...common,
    services: given,
    actor: { kind: 'queue', name: 'sync' },
  })
  const consume: World['consume'] = async (messages, given = services) => {
    const handled: Handled[] = []
    for (const body of messages)
      await consumeSync(
        job(given),
        batchOf(body, (what) => handled.push(what)),
      )
    return handled
  }
  const bank = connectBank(simulator)
  // Tests lose a large share of their items on purpose, which would stop the breaker. Tests of the breaker switch it
  // on.
  await sql("update safety_switches set state = 'off' where name = 'item_loss'")
  return {
    stack,
    database,
    simulator,
    bank,
    services,
    queue,
    lines,
    job,
    sql,
    user: (subject) => ({
      ...common,
      services,
      actor: { kind: 'user', identity: { issuer: 'wealthnavigator-edge', subject }, role: 'user', scopes: [] },
    }),
    consume,
    async drain(given = services) {
      const handled: Handled[] = []
      for (let body = queue.shift(); body !== undefined; body = queue.shift())
        handled.push(...(await consume([body], given)))
      return handled
    },
    delivered: () => receiver.take(),
    deliver: async ({ body, plaidVerification }, given = services) =>
      await receiveWebhook(
        { ...job(given), actor: { kind: 'anonymous' } },
        { plaidVerification, webhookSignature: null, body: new TextEncoder().encode(body) },
      ),
    async elapse() {
      await sql(`update item_products set lease_expires_at = lease_expires_at - interval '1 day',
        next_attempt_at = next_attempt_at - interval '1 day', woken_until = woken_until - interval '1 day', last_synced_at = last_synced_at - interval '1 day'`)
    },
    restartIsolate() {
      isolate = startIsolate()
    },
    async stop() {
      await stack.stopSimulator(simulator.id)
      await stack.dropDatabase(database.name)
    },
  }
}

function batchOf(body: SyncMessage, handled: (what: Handled) => void): MessageBatch {
  const message: Message = {
    id: crypto.randomUUID(),
    timestamp: new Date(),
    body,
    attempts: 1,
    ack: () => handled('ack'),
    retry: (options) => handled(options?.delaySeconds ?? 0),
  }
  return {
    queue: 'wealthnavigator-sync',
    messages: [message],
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    ackAll: () => undefined,
    retryAll: () => undefined,
  }
}
