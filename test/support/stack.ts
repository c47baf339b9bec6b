// A client for the shared stack: databases, simulators and faults over HTTP. Uses `fetch` alone, so it runs in Node and
// in workerd.
import * as z from 'zod'

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the run's control server. */
    control: string
    /** How much of a long proof runs: see sampled.ts. */
    proofs: 'sample' | 'all'
    /** How many sequences the property of events tries; null for the usual number. */
    eventSequences: number | null
    /** The same for the property of the feed of everything. */
    feedSequences: number | null
    /**
     * Options of the model-based test: the number of sequences (`MODEL_RUNS`), the seed (`MODEL_SEED`), a single
     * sequence as a failure names it (`MODEL_PATH`, `MODEL_REPLAY_PATH`), and whether a failure is shrunk
     * (`MODEL_SHRINK=false`: no).
     */
    model: { runs: number; seed: number; path: string; replayPath: string; shrink: boolean }
  }
}

const databaseSchema = z.object({
  name: z.string(),
  /** The login of the tables' owner, who sees every row. */
  ownerUrl: z.string(),
  apiUrl: z.string(),
  jobsUrl: z.string(),
  identityUrl: z.string(),
  backupUrl: z.string(),
  /** The Neon endpoint's `http://127.0.0.1:PORT/sql`; its WebSocket is at `/v2` of the same port. */
  endpoint: z.string(),
})
const simulatorSchema = z.object({ id: z.string(), url: z.string(), clientId: z.string(), secret: z.string() })

const deliverySchema = z.object({ body: z.string(), plaidVerification: z.string().nullable() })

/** A webhook as received: the body's text and the signature header. */
export type Delivery = z.infer<typeof deliverySchema>
export type TestDatabase = z.infer<typeof databaseSchema>
export type TestSimulator = z.infer<typeof simulatorSchema>

export interface Fault {
  /**
   * `fail-before`: 500, no statement runs. `lose-answer`: committed, then the connection is cut without a response.
   * `cut-before` and `cut-after`: the same two with Neon's response for a lost connection, 400 with an empty code.
   * `hang`: no response. `restart`: the database restarts before the request runs. `too-many`: 500, the endpoint's
   * limit of requests.
   */
  kind: 'fail-before' | 'lose-answer' | 'cut-before' | 'cut-after' | 'hang' | 'restart' | 'too-many'
  /** A regular expression for the statement, case-insensitive; every request without it. */
  matching?: string
  /** The number of matching requests that pass first. */
  after?: number
  /** The number of requests that fail then; 1 by default. */
  times?: number
}

export interface SimulatorChoices {
  /** The same seed and the same calls give the same bank. */
  seed?: string
  /** When an item's history is complete, counted from the exchange; `manual` waits for the control. */
  historyDelayMs?: { initial: number; historical: number } | 'manual'
  /** Days of history at generated banks; 90 by default, so that a link costs little. Plaid's most are 730. */
  historyDays?: number
  webhookRetryBaseMs?: number
  webhookTimeoutMs?: number
  /** `false` switches Plaid's limits off. */
  rateLimits?: false
}

export interface Stack {
  createDatabase(): Promise<TestDatabase>
  dropDatabase(name: string): Promise<void>
  startSimulator(options?: SimulatorChoices): Promise<TestSimulator>
  stopSimulator(id: string): Promise<void>
  /** Opens a receiver for webhooks: its URL for the simulator, and the deliveries since the last call. */
  openReceiver(): Promise<{ url: string; take(): Promise<Delivery[]> }>
  /** Adds a fault to the requests for one database. Several apply in the order in which they were added. */
  addFault(database: string, fault: Fault): Promise<void>
  clearFaults(database: string): Promise<void>
  /** The path of the Worker's bundle, which is built on the first call. */
  bundle(): Promise<string>
  /** The folder of the console's files, which are built on the first call. */
  console(): Promise<string>
}

/** A client of the control server, whose URL is `inject('control')`. Rejects with the server's reason. */
export function connectStack(control: string): Stack {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(new URL(path, control), init)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} of the test stack: ${text}`)
    return JSON.parse(text)
  }
  return {
    createDatabase: async () => databaseSchema.parse(await call('POST', '/databases')),
    async dropDatabase(name) {
      await call('DELETE', `/databases/${name}`)
    },
    startSimulator: async (options = {}) => simulatorSchema.parse(await call('POST', '/simulators', options)),
    async stopSimulator(id) {
      await call('DELETE', `/simulators/${id}`)
    },
    async openReceiver() {
      const { id } = z.object({ id: z.string() }).parse(await call('POST', '/receivers'))
      return {
        url: new URL(`/webhooks/${id}`, control).href,
        take: async () => z.array(deliverySchema).parse(await call('GET', `/receivers/${id}`)),
      }
    },
    async addFault(database, fault) {
      await call('POST', `/faults/${database}`, fault)
    },
    async clearFaults(database) {
      await call('DELETE', `/faults/${database}`)
    },
    bundle: async () => z.string().parse(await call('POST', '/bundle')),
    console: async () => z.string().parse(await call('POST', '/console')),
  }
}
