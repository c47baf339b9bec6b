import { describe, expect, it } from 'vitest'
import { asUser, serveApp, problemOf } from './serve-app.ts'

const chunk = new Uint8Array(16_384).fill(0x20)

/** The most chunks that are drained of a body that no handler reads. */
const mostChunks = 33_554_432 / chunk.length

/** A body of 100 MB of spaces that counts the bytes that were read. A stream has no Content-Length. */
function stream() {
  const taken = { chunks: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      taken.chunks += 1
      controller.enqueue(chunk)
      if (taken.chunks === 6400) controller.close()
    },
    cancel: () => {
      taken.cancelled = true
    },
  })
  return { body, taken }
}

/** Node's fetch requires `duplex` for a stream; the DOM types do not know it yet. */
const streamed = (body: ReadableStream<Uint8Array>, headers: Record<string, string>): RequestInit =>
  Object.assign({ method: 'POST', body, headers }, { duplex: 'half' })

describe('a stream', () => {
  it('is cut off past 64 kB of JSON', async () => {
    const { body, taken } = stream()
    const response = await serveApp().ask('/api/v1/plaid/link/token/create', streamed(body, await asUser()))
    expect(await problemOf(response)).toMatchObject({ status: 413, code: 'payload_too_large' })
    expect(taken.chunks).toBeLessThan(mostChunks + 10)
    expect(taken.cancelled).toBe(true)
  })

  it('is refused like any other webhook after 1 MiB', async () => {
    const { body, taken } = stream()
    const served = serveApp()
    const headers = { 'plaid-verification': 'a.b.c' }
    const response = await served.ask('/api/v1/plaid/webhook', streamed(body, headers))
    expect(await problemOf(response)).toMatchObject({ status: 401, code: 'webhook_refused' })
    expect(served.lines.at(-1)).toMatchObject({ reason: 'body_too_large' })
    expect(taken.chunks).toBeLessThan(mostChunks + 75)
    expect(taken.cancelled).toBe(true)
  })

  it('is refused without a token, with any content, and cancelled', async () => {
    const { body, taken } = stream()
    const response = await serveApp().ask('/api/v1/plaid/link/token/create', streamed(body, {}))
    expect(response.status).toBe(401)
    expect(taken.chunks).toBeLessThan(mostChunks + 10)
    expect(taken.cancelled).toBe(true)
  })
})

describe('a body', () => {
  const padded = (bytes: number): string => '{}'.padEnd(bytes, ' ')

  it.each([
    [65_536, 503],
    [65_537, 413],
  ])('has %i bytes and gets %i', async (bytes, status) => {
    const init = { method: 'POST', body: padded(bytes), headers: await asUser() }
    expect((await serveApp().ask('/api/v1/plaid/link/token/create', init)).status).toBe(status)
  })

  it('is refused unread when it declares a large size', async () => {
    const headers = { ...(await asUser()), 'content-length': '70000' }
    const init = { method: 'POST', body: '{}', headers }
    expect((await serveApp().ask('/api/v1/plaid/link/token/create', init)).status).toBe(413)
  })

  it('may have 1 MiB in a webhook', async () => {
    const served = serveApp()
    for (const [bytes, reason] of [
      [1_048_576, 'missing_header'],
      [1_048_577, 'body_too_large'],
    ] as const) {
      await served.ask('/api/v1/plaid/webhook', { method: 'POST', body: padded(bytes) })
      expect(served.lines.at(-1)).toMatchObject({ status: 401, reason })
    }
  })
})
