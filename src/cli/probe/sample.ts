// One sample of the availability: what a client of the API sees.
import { ask, type Answered, jsonOf } from '../lib/ask.ts'
import { messageOf } from '../lib/checks.ts'
import { redactor } from '../lib/redacted.ts'

const timeoutMs = 10_000

export interface Sample {
  /** ISO 8601, when the sample began. */
  readonly at: string
  readonly up: boolean
  /** The time of the response; null without one. */
  readonly ms: number | null
  /** The status of the response that decided; null without one. */
  readonly status: number | null
  /** Why it was not available; null if it was. */
  readonly reason: string | null
}

export interface SampleTarget {
  readonly url: string
  /** For a read of `/api/v1/plaid/items`. Sent over https, or on this machine, only. */
  readonly token?: string | undefined
  readonly ca?: string | undefined
  readonly timeoutMs?: number
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

function maySendToken(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || loopback.has(hostname)
}

/** A page of a proxy can have the status 200 too. */
const isReady = (answer: Answered): boolean => {
  const body = jsonOf(answer)
  return (
    answer.status === 200 && typeof body === 'object' && body !== null && 'status' in body && body.status === 'ready'
  )
}

const isList = (answer: Answered): boolean => {
  const body = jsonOf(answer)
  return answer.status === 200 && typeof body === 'object' && body !== null && 'data' in body
}

/** Asks once. Never throws: what does not respond is not available. */
export async function takeSample({ url, token, ca, ...target }: SampleTarget, now = new Date()): Promise<Sample> {
  const at = now.toISOString()
  const asked = { ca, timeoutMs: target.timeoutMs ?? timeoutMs }
  try {
    const ready = await ask(`${url}/ready`, asked)
    const of = ({ ms, status }: Answered, reason: string | null): Sample => ({
      at,
      up: reason === null,
      ms,
      status,
      reason,
    })
    if (!isReady(ready)) return of(ready, `/ready gives ${ready.status}`)
    if (token === undefined) return of(ready, null)
    if (!maySendToken(url)) return of(ready, 'the token is not sent over plain http')
    const read = await ask(`${url}/api/v1/plaid/items?limit=1`, {
      ...asked,
      headers: { authorization: `Bearer ${token}` },
    })
    // The client waits for the read, so its time counts.
    return of(read, isList(read) ? null : `a read gives ${read.status}`)
  } catch (error) {
    const redact = redactor(token === undefined ? [] : [token])
    return { at, up: false, ms: null, status: null, reason: redact(messageOf(error)) }
  }
}
