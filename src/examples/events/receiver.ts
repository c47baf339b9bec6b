// Receives events, verifies each one, and reads what has changed. It trusts nothing in an event that is not verified.
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createClient, type FeedOptions, SignatureError, verify } from '@wealthnavigator/client'

const { WN_API_URL: baseUrl = 'http://127.0.0.1:8787', WN_API_KEY: apiKey = '', WN_USER: user = 'user-1' } = process.env
const { PORT = '3000', PUBLIC_URL: publicUrl } = process.env
const client = createClient({ baseUrl, apiKey, user })

/** Keep these in your database: the secret of the endpoint, the ids of events that were handled, and the place in the feed. */
let secret: string | null = process.env['WN_ENDPOINT_SECRET'] ?? null
const handled = new Set<string>()
let since: FeedOptions['since']

interface Event {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

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

type Reply = readonly [status: number, body?: unknown]

async function handle({ headers }: IncomingMessage, body: string): Promise<Reply> {
  // The API asks whether this address wants events before this program knows the secret.
  if (secret === null) {
    const { type, data } = JSON.parse(body) as Event
    return type === 'endpoint.verification' ? [200, { challenge: data['challenge'] }] : [503]
  }
  const { type, data } = (await verify({ secret, headers, body })) as Event
  if (type === 'endpoint.verification') return [200, { challenge: data['challenge'] }]
  const id = String(headers['webhook-id'])
  // An event that arrives again is acknowledged again.
  if (handled.has(id)) return [204]
  const changes = type.endsWith('.changed') ? await readInTurn() : 0
  handled.add(id)
  process.stdout.write(`${type} ${changes}\n`)
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
