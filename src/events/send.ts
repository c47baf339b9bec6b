// Sends one signed request to an endpoint (Standard Webhooks). Nothing of the response is kept but its status; redirects
// are not followed.
import { readText } from '../body.ts'
import type { Secret } from '../crypto/secret.ts'
import { signWebhook } from '../crypto/standard-webhooks.ts'
import { withDeadline } from '../timeout.ts'

export const sendTimeoutMs = 10_000
/** The response to a challenge is short. */
const maxAnswerBytes = 4096

export interface Outgoing {
  readonly url: string
  /** The id of the event, the same in every attempt. */
  readonly id: string
  /** JSON. */
  readonly body: string
  /** The current secret, and the previous one while it is valid. */
  readonly secrets: readonly Secret[]
  readonly nowMs: number
}

export interface SendResult {
  /** Null without a response. */
  readonly status: number | null
  readonly durationMs: number
  readonly error: 'timeout' | 'no_response' | null
  /** The body of the response; null unless it was asked for. */
  readonly answer: string | null
}

export interface SendOptions {
  readonly fetch: (request: Request) => Promise<Response>
  readonly now: () => number
  readonly timeoutMs?: number
  readonly readsAnswer?: boolean
}

async function signedRequest({ url, id, body, secrets, nowMs }: Outgoing, signal: AbortSignal): Promise<Request> {
  const seconds = Math.floor(nowMs / 1000)
  const signatures = await Promise.all(secrets.map((secret) => signWebhook(secret.reveal(), id, seconds, body)))
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'wealthnavigator-edge',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  }
  return new Request(url, { method: 'POST', body, headers, redirect: 'manual', signal })
}

/** Never rejects because of the endpoint. */
export async function send(outgoing: Outgoing, options: SendOptions): Promise<SendResult> {
  const { fetch, now, timeoutMs = sendTimeoutMs, readsAnswer = false } = options
  const startedAt = now()
  const ended = (result: Omit<SendResult, 'durationMs'>): SendResult => ({ ...result, durationMs: now() - startedAt })
  try {
    return await withDeadline(timeoutMs, async (signal) => {
      const response = await fetch(await signedRequest(outgoing, signal))
      const answer = readsAnswer ? await readText(response.body, maxAnswerBytes) : null
      // What is left is not read: it may be endless.
      if (!readsAnswer) await response.body?.cancel()
      return ended({ status: response.status, error: null, answer })
    })
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError'
    return ended({ status: null, error: isLate ? 'timeout' : 'no_response', answer: null })
  }
}

export const isSuccess = ({ status }: SendResult): boolean => status !== null && status >= 200 && status < 300
