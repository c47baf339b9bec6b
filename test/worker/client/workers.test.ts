// The client inside workerd, against the Worker's own module.
import { env, exports } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { createClient, ProblemError, SignatureError, verify } from '../../../src/client/index.ts'
import { signWebhook } from '../../../src/crypto/standard-webhooks.ts'
import { signToken } from '../../../src/dev/lib/sign-token.ts'

const worker: { fetch(request: Request): Promise<Response> } = Reflect.get(exports, 'default')
const fetchWorker = async (request: Request): Promise<Response> => await worker.fetch(request)

describe('the client in a Worker', () => {
  it('reads rows and errors of the API, and renews its token', async () => {
    const secret = String(Object(env)['SECRET_KEY'])
    const token = await signToken({ secret, subject: 'client-in-worker', ttlSeconds: 60 })
    const client = createClient({
      baseUrl: 'https://api.example.com',
      fetch: fetchWorker,
      getToken: ({ refused }) => (refused === null ? 'expired' : token),
    })
    const accounts: string[] = []
    for await (const { id } of client.rows('/api/v1/accounts')) accounts.push(id)
    expect(accounts).toEqual([])
    const missing = client.get('/api/v1/accounts/{id}', { params: { path: { id: crypto.randomUUID() } } })
    await expect(missing).rejects.toBeInstanceOf(ProblemError)
    await expect(missing).rejects.toMatchObject({
      code: 'not_found',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  it('verifies events', async () => {
    const secret = `whsec_${btoa('example-secret-of-32-characters!')}`
    const timestamp = Math.floor(Date.now() / 1000)
    const body = '{"type":"item.linked"}'
    const headers = new Headers({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': await signWebhook(secret, 'msg_1', timestamp, body),
    })
    expect(await verify({ secret, headers, body })).toEqual({ type: 'item.linked' })
    await expect(verify({ secret, headers, body: `${body} ` })).rejects.toBeInstanceOf(SignatureError)
  })
})
