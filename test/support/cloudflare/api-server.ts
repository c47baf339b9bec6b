// What commands ask of Cloudflare's API, of GitHub and of the npm registry, on loopback. As strict as they are: a wrong
// token, path or query gets an error.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { readAccount } from './account.ts'

export interface ApiChoices {
  /** The folder of the invented account. */
  readonly folder: string
  readonly workerName: string
  readonly cloudflareToken: string
  readonly githubToken: string
  /** The commit that the run of CI with the number 42 tested. */
  readonly commit: () => string
  /** Requests to a version. */
  readonly requestsOf: (version: string) => number
}

export interface ApiServer {
  readonly url: string
  /** Each request as `METHOD /path status`. */
  readonly asked: string[]
  stop(): Promise<void>
}

export const repository = 'example/wealthnavigator'
export const ciRun = `https://github.com/${repository}/actions/runs/42`

const graphSchema = z.strictObject({
  query: z.string().includes('workersInvocationsAdaptive').includes('scriptVersion_in'),
  variables: z.strictObject({
    account: z.literal('account'),
    script: z.string(),
    versions: z.tuple([z.string()]),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
  }),
})

interface Answer {
  readonly status: number
  readonly body: unknown
}

const notFound: Answer = { status: 404, body: { error: 'There is no such path.' } }
const isAllowed = ({ headers }: IncomingMessage, token: string): boolean => headers.authorization === `Bearer ${token}`

function cloudflareAnswer(choices: ApiChoices, path: string, request: IncomingMessage, body: string): Answer {
  const { folder, workerName, requestsOf } = choices
  if (!isAllowed(request, choices.cloudflareToken)) return { status: 403, body: { success: false } }
  if (path === `/accounts/account/workers/scripts/${workerName}/schedules`) {
    const crons = readAccount(folder).workers[workerName]?.crons ?? []
    return { status: 200, body: { success: true, result: { schedules: crons.map((cron) => ({ cron })) } } }
  }
  if (path !== '/graphql' || request.method !== 'POST') return notFound
  const { variables } = graphSchema.parse(JSON.parse(body))
  if (variables.script !== workerName) return { status: 200, body: { data: null, errors: [{ message: 'no script' }] } }
  const counted = { sum: { requests: requestsOf(variables.versions[0]), errors: 0 } }
  const accounts = [{ workersInvocationsAdaptive: [counted] }]
  return { status: 200, body: { data: { viewer: { accounts } }, errors: null } }
}

function githubAnswer({ commit, githubToken }: ApiChoices, path: string, request: IncomingMessage): Answer {
  if (!isAllowed(request, githubToken)) return { status: 401, body: {} }
  if (path !== `/repos/${repository}/actions/runs/42`) return { status: 404, body: {} }
  const run = { head_sha: commit(), path: '.github/workflows/ci.yml', event: 'push' }
  return { status: 200, body: { ...run, status: 'completed', conclusion: 'success' } }
}

/** Serves `/cloudflare`, `/github`, and for everything else the 404 of a registry without advisories. */
export async function startApiServer(choices: ApiChoices): Promise<ApiServer> {
  const asked: string[] = []
  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const [, service = '', rest = ''] = /^\/(\w+)(\/.*)$/.exec(request.url ?? '') ?? []
    const body = await text(request)
    if (service === 'cloudflare') return cloudflareAnswer(choices, rest, request, body)
    if (service === 'github') return githubAnswer(choices, rest, request)
    return notFound
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refused = (error: unknown): Answer => ({ status: 400, body: { message: String(error) } })
    const { status, body } = await answer(request).catch(refused)
    asked.push(`${request.method} ${request.url} ${status}`)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const server = createServer((request, response) => void respond(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // oxlint-disable-next-line typescript/consistent-type-assertions -- a TCP server's address
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
