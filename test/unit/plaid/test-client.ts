// A client of Plaid before a server that responds as the test says, with the requests and waits of one call.
import { afterAll, beforeAll } from 'vitest'
import * as z from 'zod'
import { createSecret } from '../../../src/crypto/secret.ts'
import { createPlaidClient, type PlaidCall, type PlaidClient, type PlaidResult } from '../../../src/plaid/client.ts'
import { type Answering, startAnswering, uncounted } from './answering.ts'

export const accessToken = 'access-sandbox-canary-4f1c'
export const apiSecret = 'canary-api-secret-9d2e'

const amounts = z.object({ amount: z.string() })
type Call = PlaidCall<typeof amounts>
export const call: Call = {
  path: '/some/get',
  body: { count: 5 },
  answer: amounts,
  accessToken: createSecret(accessToken),
  idempotent: true,
}

interface Options {
  readonly timeoutMs?: number
  readonly random?: number
}

interface Asked {
  readonly result: PlaidResult<z.output<typeof amounts>>
  /** The requests that the client made, also those that it cancelled before they arrived. */
  readonly times: number
  /** The milliseconds that it waited between them. */
  readonly waits: readonly number[]
}

/** A client, and a call of it with some members changed. */
interface TestClient {
  readonly clientFor: (options?: Options, fetching?: typeof fetch) => PlaidClient
  readonly ask: (overrides?: Partial<Call>, options?: Options) => Promise<Asked>
}

export function testClient(baseUrl: () => string): TestClient {
  const create = (options: Options, fetching: typeof fetch, waits: number[]): PlaidClient =>
    createPlaidClient({
      environment: 'sandbox',
      baseUrl: baseUrl(),
      clientId: 'client-1',
      secret: createSecret(apiSecret),
      fetch: fetching,
      wait: (milliseconds) => Promise.resolve(void waits.push(milliseconds)),
      random: () => options.random ?? 0.5,
      ...uncounted,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    })
  return {
    clientFor: (options = {}, fetching = fetch) => create(options, fetching, []),
    async ask(overrides = {}, options = {}) {
      const waits: number[] = []
      let times = 0
      const counting: typeof fetch = (...request) => {
        times += 1
        return fetch(...request)
      }
      const result = await create(options, counting, waits).call({ ...call, ...overrides })
      return { result, times, waits }
    },
  }
}

/** Starts the server before the tests of a file and gives it to `use`; stops it after them. */
export function useServer(use: (server: Answering) => void): void {
  let started: Answering | undefined
  beforeAll(async () => {
    started = await startAnswering()
    use(started)
  })
  afterAll(() => started?.stop())
}
