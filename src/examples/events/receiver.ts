// Receives events, verifies each one, and reads what has changed. It trusts nothing in an event that is not verified.
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createClient, type FeedOptions, SignatureError, verify, type WebhookEvent } from '@wealthnavigator/client'

const { WN_API_URL: baseUrl = 'http://127.0.0.1:8787', WN_API_KEY: apiKey = '', WN_USER: user = 'user-1' } = process.env
const { PORT = '3000', PUBLIC_URL: publicUrl } = process.env
const client = createClient({ baseUrl, apiKey, user })

/** Keep these in your database: the secret of the endpoint, the ids of events that were handled, and the place in the feed. */
let secret: string | null = process.env['WN_ENDPOINT_SECRET'] ?? null
const handled = new Set<string>()
let since: FeedOptions['since']

/** Returns how many changes are new. */
async function readChanges(): Promise<number> {
  let count = 0
  for await (const page of client.changes({ since })) {
    count += page.data.length
    since = page.next_since
  }
  return count
}

/** Events come in any order and several at a time. The feed has the changes in order, and is read by one at a time. */
let reading: Promise<unknown> = Promise.resolve()
function readInTurn(): Promise<number> {
  const turn = reading.then(readChanges)
  reading = turn.catch(() => undefined)
  return turn
}

/** What an application does with an event, in a few words. The feed has every change, so most events only say when to read. */
async function act(event: WebhookEvent): Promise<string> {
  switch (event.type) {
    case 'transactions.changed':
    case 'accounts.changed':
    case 'holdings.changed':
    case 'investment_transactions.changed':
    case 'liabilities.changed':
    case 'recurring.changed':
    case 'item.linked':
    case 'item.removed':
      return `${await readInTurn()} changes read`
    case 'item.status_changed': {
      const { to, action_required: action } = event.data
      return `${await readInTurn()} changes read, the item is ${action === null ? to : `waiting for its user to ${action}`}`
    }
    case 'item.new_accounts':
      return 'ask the user whether to add accounts'
    case 'sync.failed':
      return `${event.data.product} is late`
    case 'user.erased':
      return 'delete the copy'
    case 'ping':
    case 'endpoint.verification':
      return 'nothing to do'
    default:
      // Of a newer deployment.
      return 'unknown'
  }
}

type Reply = readonly [status: number, body?: unknown]

async function handle({ headers }: IncomingMessage, body: string): Promise<Reply> {
  // The API asks whether this address wants events before this program knows the secret.
  const event = secret === null ? (JSON.parse(body) as WebhookEvent) : await verify({ secret, headers, body })
  if (event.type === 'endpoint.verification') return [200, { challenge: event.data.challenge }]
  if (secret === null) return [503]
  const id = String(headers['webhook-id'])
  // An event that arrives again is acknowledged again.
  if (!handled.has(id)) {
    process.stdout.write(`${event.type}: ${await act(event)}\n`)
    handled.add(id)
  }
  return [204]
}

const server = createServer((request, response) => {
  const reply = async (): Promise<Reply> => {
    try {
      return await handle(request, await text(request))
    } catch (error) {
      // The API delivers again after anything but 2xx.
      return [error instanceof SignatureError || error instanceof SyntaxError ? 400 : 500]
    }
  }
  void reply().then(([status, body]) =>
    response.writeHead(status).end(body === undefined ? undefined : JSON.stringify(body)),
  )
})
await new Promise<void>((resolve) => server.listen(Number(PORT), '127.0.0.1', resolve))
const address = server.address()
const port = typeof address === 'object' && address !== null ? address.port : PORT
if (secret === null) {
  const url = publicUrl ?? `http://127.0.0.1:${port}/events`
  ;({ secret } = await client.post('/api/v1/webhooks/endpoints', { body: { url } }))
}
// Nothing is sent about changes from before the endpoint was verified.
process.stdout.write(`listening on ${port}, ${await readInTurn()} changes so far\n`)
