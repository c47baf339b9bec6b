// A server of an application: it has the API key, creates link tokens, exchanges public tokens and reads, each for its own user.
import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { type Client, createClient, ProblemError } from '@wealthnavigator/client'

const { WN_API_URL: baseUrl = 'http://127.0.0.1:8787', WN_API_KEY: apiKey = '', PORT = '3000' } = process.env
const client = createClient({ baseUrl, apiKey })

/** A stand-in for the session of your application. Never believe a header that a browser can send. */
const signedInUser = (request: IncomingMessage): string => String(request.headers['x-example-user'] ?? 'user-1')

type Exchange = { public_token: string; link_token: string }
const routes: Record<string, (user: Client, body: () => Promise<unknown>) => Promise<unknown>> = {
  'POST /link-token': (user) => user.post('/api/v1/plaid/link/token/create', { body: {} }),
  'POST /exchange': async (user, body) =>
    await user.post('/api/v1/plaid/item/public_token/exchange', { body: (await body()) as Exchange }),
  'GET /items': (user) => user.get('/api/v1/plaid/items'),
  'GET /accounts': (user) => user.get('/api/v1/accounts'),
  'GET /transactions': (user) => user.get('/api/v1/transactions', { params: { query: { limit: 10 } } }),
}

const server = createServer((request, response) => {
  const route = routes[`${request.method} ${request.url}`]
  const answer = route?.(client.forUser(signedInUser(request)), () => json(request)) ?? Promise.resolve(null)
  const send = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body))
  answer.then(
    (body) => send(body === null ? 404 : 200, body),
    (error: unknown) => (error instanceof ProblemError ? send(error.status, error.problem) : send(500, null)),
  )
})
server.listen(Number(PORT), '127.0.0.1', () =>
  process.stdout.write(`listening on ${JSON.stringify(server.address())}\n`),
)
