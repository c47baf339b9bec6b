// A receiver of events, as an application has one: verifies signatures, returns challenges, and fails as a test says.
import { createHmac, timingSafeEqual } from 'node:crypto'

export interface ReceivedEvent {
  readonly id: string
  readonly type: string
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}

/** The result of one request: a status, or no response at all. `forget`: it returns 204 and dies before it does anything. */
export type Outcome = number | 'late' | 'break' | 'forget'

export interface EventReceiver {
  /** Every request whose signature was valid, but challenges. */
  readonly events: ReceivedEvent[]
  /** How many requests came at all. */
  requests: number
  /** Requests without a valid signature. */
  unsigned: number
  /** The secrets that it accepts. While there is none, signatures are not checked. */
  secrets: string[]
  /** Whether it returns challenges. */
  answersChallenges: boolean
  /** Of the next requests, in order; afterwards 204. */
  outcomes: Outcome[]
  /** Called with each event that it accepts, before it responds. */
  onEvent: ((event: ReceivedEvent) => Promise<void>) | null
  /** In place of `fetch`. */
  readonly call: (request: Request) => Promise<Response>
}

/** As any library of Standard Webhooks: one of the signatures has to match one secret. */
export function isSigned(secret: string, headers: Headers, body: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const content = `${headers.get('webhook-id')}.${headers.get('webhook-timestamp')}.${body}`
  const expected = createHmac('sha256', key).update(content).digest()
  return (headers.get('webhook-signature') ?? '').split(' ').some((part) => {
    const [version, text = ''] = part.split(',')
    const given = Buffer.from(text, 'base64')
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
  })
}

export function createEventReceiver(): EventReceiver {
  const receiver: EventReceiver = {
    events: [],
    requests: 0,
    unsigned: 0,
    secrets: [],
    answersChallenges: true,
    outcomes: [],
    onEvent: null,
    call: async (request) => {
      receiver.requests += 1
      const body = await request.text()
      const isValid =
        receiver.secrets.length === 0 || receiver.secrets.some((each) => isSigned(each, request.headers, body))
      if (!isValid) receiver.unsigned += 1
      const event = JSON.parse(body) as Omit<ReceivedEvent, 'id'>
      if (event.type === 'endpoint.verification')
        return receiver.answersChallenges
          ? Response.json({ challenge: event.data['challenge'] })
          : new Response(null, { status: 204 })
      const outcome = receiver.outcomes.shift() ?? 204
      if (outcome === 'break') throw new TypeError('Network connection lost.')
      if (outcome === 'late') throw new DOMException('no answer within 10000 ms', 'TimeoutError')
      if (outcome === 'forget') return new Response(null, { status: 204 })
      if (isValid && outcome < 300) {
        const received = { ...event, id: request.headers.get('webhook-id') ?? '' }
        receiver.events.push(received)
        await receiver.onEvent?.(received)
      }
      return new Response(outcome === 204 ? null : 'x', { status: outcome })
    },
  }
  return receiver
}
