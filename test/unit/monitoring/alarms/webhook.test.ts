// The webhook of alarms: signed as Standard Webhooks specify, verified here by node:crypto, and bounded for any
// receiver.
import { createHmac } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { signWebhook } from '../../../../src/crypto/standard-webhooks.ts'
import type { Notification } from '../../../../src/monitoring/alarms/book.ts'
import { createWebhook, type WebhookTarget } from '../../../../src/monitoring/alarms/webhook.ts'

const secretBytes = Buffer.from('thirty-two bytes for this test..')
const secret = `whsec_${secretBytes.toString('base64')}`
const sinceMs = Date.UTC(2026, 2, 2, 9, 30)

const notification: Notification = {
  id: 'alarm_sync_lag_1772443800000_fired',
  kind: 'fired',
  alarm: 'sync_lag',
  severity: 'page',
  summary: 'Products wait.',
  unit: 'seconds',
  value: 4000.5,
  threshold: 3600,
  sinceMs,
  atMs: sinceMs,
  isReported: true,
  attempts: 0,
  nextAttemptMs: sinceMs,
}

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

const none: Received = { method: '', url: '', headers: {}, body: '{}' }

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function receiver(answer: RequestListener): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method, url, headers } = request
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      answer(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  // oxlint-disable-next-line typescript/consistent-type-assertions -- a TCP server's address
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hooks/secret-path`, received }
}

const send = async (target: WebhookTarget, timeoutMs = 2000): Promise<unknown> =>
  await createWebhook({ target, environment: 'production', fetch: (request) => fetch(request), timeoutMs })(
    notification,
    sinceMs + 5000,
  ).then(
    () => 'delivered',
    (error: unknown) => String(error),
  )

const ok: RequestListener = (_, response) => response.writeHead(204).end()

describe('the signature', () => {
  it('is that of the example of the specification', async () => {
    const signed = await signWebhook(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
    )
    expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('is valid for an independent verification of what arrives', async () => {
    const { url, received } = await receiver(ok)
    expect(await send({ url, format: 'standard', secrets: [secret] })).toBe('delivered')
    const [{ method, headers, body } = none] = received
    expect([method, headers['content-type']]).toEqual(['POST', 'application/json'])
    expect([headers['webhook-id'], headers['webhook-timestamp']]).toEqual([notification.id, String(sinceMs / 1000 + 5)])
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
    const expected = createHmac('sha256', secretBytes).update(signed).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
    const tampered = createHmac('sha256', secretBytes).update(`${signed} `).digest('base64')
    expect(headers['webhook-signature']).not.toBe(`v1,${tampered}`)
  })
})

describe('a rotation of the secret', () => {
  const formerBytes = Buffer.from('a former secret of this test....')
  const former = `whsec_${formerBytes.toString('base64')}`

  it('signs with both secrets, so that a receiver with either one accepts the alarm', async () => {
    const { url, received } = await receiver(ok)
    expect(await send({ url, format: 'standard', secrets: [secret, former] })).toBe('delivered')
    const [{ headers, body } = none] = received
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`
    const signatures = [secretBytes, formerBytes].map(
      (bytes) => `v1,${createHmac('sha256', bytes).update(signed).digest('base64')}`,
    )
    expect(String(headers['webhook-signature']).split(' ')).toEqual(signatures)
  })
})

describe('the notification', () => {
  it('contains names, numbers and times of the rule, and nothing else', async () => {
    const { url, received } = await receiver(ok)
    await send({ url, format: 'standard', secrets: [secret] })
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      type: 'alarm.fired',
      timestamp: '2026-03-02T09:30:00.000Z',
      data: {
        id: notification.id,
        alarm: 'sync_lag',
        state: 'fired',
        severity: 'page',
        summary: 'Products wait.',
        environment: 'production',
        since: '2026-03-02T09:30:00.000Z',
        value: 4000.5,
        threshold: 3600,
        unit: 'seconds',
        runbook: 'docs/runbook.md#sync_lag',
      },
    })
  })

  it('has a text and no signature in the form of Slack', async () => {
    const { url, received } = await receiver(ok)
    expect(await send({ url, format: 'slack', secrets: [] })).toBe('delivered')
    const [{ headers, body } = none] = received
    expect(Object.keys(headers).filter((name) => name.startsWith('webhook-'))).toEqual([])
    const message: unknown = JSON.parse(body)
    expect(message).toEqual({ text: expect.stringMatching(/\*sync_lag\* \(page\) · production\n/) })
    expect(JSON.stringify(message)).toContain('docs/runbook.md#sync_lag')
  })
})

describe('the sender', () => {
  it.each([400, 401, 404, 410, 429, 500, 503])('fails when the receiver returns %i', async (status) => {
    const { url } = await receiver((_, response) => response.writeHead(status).end('no'))
    expect(await send({ url, format: 'standard', secrets: [secret] })).toBe(
      `Error: the receiver of alarms returned ${status}`,
    )
  })

  it.each([301, 302, 307, 308])('does not follow a redirect by %i', async (status) => {
    const other = await receiver(ok)
    const { url, received } = await receiver((_, response) => response.writeHead(status, { location: other.url }).end())
    expect(await send({ url, format: 'standard', secrets: [secret] })).toMatch(/returned (?:0|30\d)/)
    expect([received.length, other.received.length]).toEqual([1, 0])
  })

  it('leaves a receiver that sends an endless response', async () => {
    let written = 0
    const { url } = await receiver((_, response) => {
      const chunk = Buffer.alloc(65_536)
      response.writeHead(200)
      const timer = setInterval(() => {
        if (response.writableLength < 10_000_000 && response.write(chunk)) written += chunk.length
      }, 1)
      response.on('close', () => clearInterval(timer))
    })
    expect(await send({ url, format: 'standard', secrets: [secret] })).toBe('delivered')
    const after = written
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(written - after).toBeLessThan(5_000_000)
  })

  it('waits a bounded time for a response', async () => {
    const { url } = await receiver(() => undefined)
    const startedMs = Date.now()
    expect(await send({ url, format: 'standard', secrets: [secret] }, 200)).toContain('no answer within 200 ms')
    expect(Date.now() - startedMs).toBeLessThan(1500)
  })

  it('fails without the URL in the error when the receiver cannot be reached', async () => {
    const failure = await send({ url: 'http://127.0.0.1:9/hooks/secret-path', format: 'standard', secrets: [secret] })
    expect(failure).not.toBe('delivered')
    expect(String(failure)).not.toContain('secret-path')
  })
})
