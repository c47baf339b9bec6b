// Requests generated from the API description, valid ones and broken ones. No response is a 5xx, every response matches
// the description, input that the description refuses is refused, and no response repeats its input.
// FUZZ_RUNS sets the number of runs, FUZZ_SEED repeats a run.
import { Agent, request as send } from 'node:http'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { signUp } from '../support/accounts-over-http.ts'
import { callFor, tokenFor } from '../support/administrator.ts'
import { type Edge, startEdge } from '../support/edge.ts'
import { marker } from '../support/fuzz/hostile.ts'
import {
  type FuzzedRequest,
  type KnownIds,
  nearMisses,
  refusalOf,
  spoiltRequest,
  validRequest,
} from '../support/fuzz/request.ts'
import { type Operation, readOperations } from '../support/operations.ts'
import { sampled } from '../support/sampled.ts'

const api = await readOperations()
const runs = Number(process.env['FUZZ_RUNS'] ?? 10)
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
/** With up to 40 runs, all operations together take about a minute on any machine. */
const millisecondsEach = (60_000 / api.operations.length) * Math.max(runs / 40, 1)
/** A rotation responds when the queue has finished it, at the latest after ten seconds. */
const millisecondsFor = ({ path }: Operation): number => (path.endsWith('/rotate') ? 12_000 : millisecondsEach)
/** Every header that a response may have. Any other name would be injected. */
const expectedHeaders = new Set(
  `access-control-allow-origin access-control-allow-credentials access-control-expose-headers allow cache-control
  connection content-disposition content-length content-encoding content-security-policy content-type
  cross-origin-embedder-policy cross-origin-opener-policy cross-origin-resource-policy date etag keep-alive
  permissions-policy referrer-policy retry-after set-cookie transfer-encoding
  vary www-authenticate x-content-type-options x-frame-options x-request-id
  x-xss-protection`.split(/\s+/),
)

let edge: Edge
/** Ids of the user who sends the requests. */
let known: KnownIds
/** Number of responses by hundreds of the status. */
const answered = new Map<number, number>()
/** Operations with at least one successful response. */
const taken = new Set<string>()
const agent = new Agent({ keepAlive: true, maxSockets: 4 })

beforeAll(async () => {
  process.stdout.write(`fuzz: FUZZ_SEED=${seed} FUZZ_RUNS=${runs}\n`)
  // Without these variables, the routes of their files return 404.
  edge = await startEdge({
    variables: {
      SECURITY_CONTACT: 'mailto:security@example.com',
      APPLE_APP_IDS: 'ABCDE12345.com.example.app',
      ANDROID_PACKAGE_NAMES: 'com.example.app',
      ANDROID_CERT_FINGERPRINTS: Array.from({ length: 32 }, () => 'AB').join(':'),
      OPERATOR_NAME: 'Example Ltd.',
      OPERATOR_CONTACT: 'privacy@example.com',
    },
  })
  await edge.linkAndSync('user')
  const list = z.object({ data: z.array(z.object({ id: z.string() })) })
  const lists = api.operations.filter(
    ({ method, isPrivate, path }) => method === 'GET' && isPrivate && !path.includes('{'),
  )
  const found = lists.map(async (operation) => {
    const answer = await callFor(edge, operation, 'user')('GET', operation.path)
    const isJson = answer.status === 200 && answer.headers.get('content-type') === 'application/json'
    const rows = isJson ? list.safeParse(answer.json()).data?.data : undefined
    return [operation.path, (rows ?? []).slice(0, 2).map(({ id }) => id)] as const
  })
  known = new Map(await Promise.all(found))
})
afterAll(async () => {
  agent.destroy()
  await edge.stop()
})

interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** Sends the path unchanged; other clients normalize it. */
function ask(method: string, path: string, headers: Record<string, string>, body: Buffer | null): Promise<Received> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(edge.url)
    const outgoing = send({ hostname, port, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => void chunks.push(chunk))
      response.on('end', () => {
        const received = Object.entries(response.headersDistinct).map(([name, values]) => [name, String(values)])
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(received), text })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body ?? undefined)
  })
}

const decodes = (text: string): string | null => {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** Whether a proxy or the platform would change or refuse this path. */
const isAnotherPath = (segment: string): boolean => {
  const decoded = decodes(segment)
  return decoded === null || /^(?:\.|%2e){1,2}$/i.test(segment) || /[/\\]/.test(segment)
}

function perform(operation: Operation, token: string | null, request: FuzzedRequest): Promise<Received> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => request.path[name] ?? '')
  const query = new URLSearchParams(request.query.map(([name, value]) => [name, value])).toString()
  const body =
    request.body === undefined || operation.method === 'GET' ? null : Buffer.from(JSON.stringify(request.body))
  const headers = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) }),
    ...request.headers,
  }
  return ask(operation.method, query === '' ? path : `${path}?${query}`, headers, body)
}

/** What is wrong with a response, independent of the request. */
function faultsOf(operation: Operation, request: FuzzedRequest, answer: Received): string[] {
  const { status, headers, text } = answer
  const faults: string[] = []
  if (status >= 500) faults.push(`status ${status}: ${text}`)
  const strange = Object.keys(headers).filter((name) => !expectedHeaders.has(name))
  if (strange.length > 0) faults.push(`headers ${strange.join(', ')}`)
  if (Object.values(headers).some((value) => value.includes(marker))) faults.push('a header echoes')
  if (status >= 400 && text.includes(marker)) faults.push(`an error echoes: ${text}`)
  if (Object.values(request.path).some(isAnotherPath)) return faults
  const described = operation.responses.get(status)
  if (described === undefined && status !== 404) faults.push(`undescribed status ${status}: ${text}`)
  else if (described?.size === 0 && text !== '') faults.push(`a body with ${status}`)
  else if (described !== undefined && described.size > 0) {
    const type = headers['content-type'] ?? ''
    const schema = described.get(type) ?? described.get(type.replace(/;.*/, ''))
    if (schema === undefined) faults.push(`content type ${type}`)
    const isJson = /[/+]json$/.test(type)
    const violation = schema === undefined || !isJson ? null : api.violation(schema, JSON.parse(text))
    if (violation !== null) faults.push(`${status} is not as described: ${violation}: ${text.slice(0, 500)}`)
  }
  return faults
}

/** Deletions get unknown ids only, because later operations need what exists. */
const destroys = (operation: Operation): boolean => operation.method === 'DELETE'
const isOfAccounts = ({ path }: Operation): boolean => path.startsWith('/api/v1/auth/')
/** Routes that can erase a user. They get a user without data. */
const isOfPrivacy = ({ method, path }: Operation): boolean => method !== 'GET' && path.startsWith('/api/v1/privacy/')

/** A freeze would refuse the requests after it. */
async function thaw({ path }: Operation): Promise<void> {
  if (path === '/api/v1/admin/freeze') await edge.sql("update safety_switches set state = 'off' where name = 'freeze'")
}

async function callerToken(operation: Operation): Promise<string | null> {
  if (!operation.isPrivate) return null
  if (!isOfAccounts(operation)) return tokenFor(edge, operation, isOfPrivacy(operation) ? 'private' : 'user')
  return (await signUp(edge, `fuzz-${operation.name.replaceAll(/\W/g, '').toLowerCase()}@app.test`)).accessToken
}

/** Reads that must succeed at least once. A path with an id needs a list that has one. */
function mustBeTaken({ method, path }: Operation): boolean {
  // A WebSocket: live.test.ts.
  if (path === '/api/v1/live') return false
  return method === 'GET' && (!path.includes('{') || (known.get(path.slice(0, path.indexOf('/{'))) ?? []).length > 0)
}

const operations = sampled(api.operations, 2)

test.each(operations.map((operation) => [operation.name, operation] as const))(
  '%s conforms to the API description for every generated request',
  async (_name, operation) => {
    const token = await callerToken(operation)
    const named: KnownIds = destroys(operation) ? new Map() : known
    const requests = fc.oneof(
      { weight: 2, arbitrary: validRequest(api, operation, named) },
      { weight: 3, arbitrary: spoiltRequest(api, operation, named) },
    )
    const endsAtMs = Date.now() + millisecondsFor(operation)
    let sent = 0
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        // At least one request is checked, however slow the machine is.
        if (sent > 0 && Date.now() > endsAtMs) return
        sent += 1
        const answer = await perform(operation, token, request)
        await thaw(operation)
        const hundred = Math.floor(answer.status / 100)
        answered.set(hundred, (answered.get(hundred) ?? 0) + 1)
        if (hundred === 2) taken.add(operation.name)
        expect(faultsOf(operation, request, answer)).toEqual([])
        const refusal = refusalOf(api, operation, request)
        const isRefused = answer.status >= 400 && answer.status < 500
        expect([refusal, refusal !== null && !isRefused]).toEqual([refusal, false])
      }),
      { seed, numRuns: runs },
    )
  },
)

/** A ticket is no value with a form: live.test.ts. */
const taking = api.operations.filter(
  ({ parameters, path }) => path !== '/api/v1/live' && parameters.some((one) => one.in === 'query'),
)

test.each(sampled(taking, 3).map((operation) => [operation.name, operation] as const))(
  '%s refuses every spelling that its description refuses',
  async (_name, operation) => {
    const token = await callerToken(operation)
    const refused = nearMisses(api, operation, known, seed).filter((one) => refusalOf(api, operation, one) !== null)
    expect(refused.length).toBeGreaterThan(0)
    for (const request of refused) {
      const answer = await perform(operation, token, request)
      const isRefused = answer.status >= 400 && answer.status < 500
      expect([request.query, isRefused]).toEqual([request.query, true])
      expect(faultsOf(operation, request, answer)).toEqual([])
    }
  },
)

test('every read was accepted, and other requests were accepted as well as refused', async () => {
  const [successes, refusals] = [answered.get(2) ?? 0, answered.get(4) ?? 0]
  process.stdout.write(`fuzz: ${successes} requests were taken, ${refusals} refused\n`)
  expect(Math.min(successes, refusals)).toBeGreaterThan((successes + refusals) / 20)
  // Repeats operations without a success, because the time limit can end a property early.
  for (const operation of operations.filter((one) => mustBeTaken(one) && !taken.has(one.name))) {
    const token = await callerToken(operation)
    for (const request of fc.sample(validRequest(api, operation, known), { seed, numRuns: 50 }))
      if ((await perform(operation, token, request)).status === 200) taken.add(operation.name)
    expect([...taken]).toContain(operation.name)
  }
})

test('the Worker logged no error during the fuzzing, and no value that it was sent', () => {
  const lines = edge.lines()
  expect(lines.filter((line) => line.includes('"level":"error"') || line.includes(marker))).toEqual([])
})
