// Sends the panel's orders to the simulator's controls, and keeps what happened. An order is the same request that a program
// would send, so that the page can show it.
import type { Hono } from 'hono'
import { isRecord, parseExact } from '../lib/exact-json.ts'
import { sentence } from '../link-page/parts.ts'
import { FormProblem } from './form.ts'

type Answer = Readonly<Record<string, unknown>>

/** A request to a control, and the words for its response. */
export interface Order {
  readonly method: 'POST' | 'DELETE'
  /** Below `/simulator`. */
  readonly path: string
  /** Absent for a request without a body. */
  readonly body?: object
  readonly words: (answer: Answer) => string
}

export interface Outcome {
  readonly id: number
  readonly at: string
  readonly isDone: boolean
  /** One line about what happened. */
  readonly words: string
  /** Null where the form was wrong, and nothing was sent. */
  readonly exchange: { readonly request: string; readonly status: number; readonly answer: string } | null
}

export interface Outcomes {
  run(order: () => Order): Promise<Outcome>
  /** Newest first. */
  readonly all: readonly Outcome[]
}

/** How many outcomes the panel keeps, and how much of a response it shows. */
const kept = 20
const longestAnswer = 20_000

export function openOutcomes(control: Pick<Hono, 'request'>): Outcomes {
  const all: Outcome[] = []
  let last = 0
  const keep = (outcome: Omit<Outcome, 'id' | 'at'>): Outcome => {
    last += 1
    const whole = { id: last, at: new Date().toISOString(), ...outcome }
    all.unshift(whole)
    all.splice(kept)
    return whole
  }
  return {
    all,
    async run(order) {
      try {
        return keep(await send(control, order()))
      } catch (error) {
        if (!(error instanceof FormProblem)) throw error
        return keep({ isDone: false, words: error.message, exchange: null })
      }
    },
  }
}

async function send(control: Pick<Hono, 'request'>, order: Order): Promise<Omit<Outcome, 'id' | 'at'>> {
  const { method, path } = order
  const body = order.body === undefined ? null : JSON.stringify(order.body)
  const response = await control.request(path, { method, body })
  const { status } = response
  const text = await response.text()
  const answer = jsonOf(text)
  const isDone = status < 300 && answer !== null
  return {
    isDone,
    words: isDone ? order.words(answer) : refusalWords(status, answer),
    exchange: {
      request: `${method} /simulator${path}${body === null ? '' : `\n\n${body}`}`,
      status,
      answer: shortened(answer === null ? text : JSON.stringify(answer, null, 2)),
    },
  }
}

function jsonOf(text: string): Record<string, unknown> | null {
  try {
    const parsed = parseExact(text)
    return isRecord(parsed) ? parsed : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The control's message without the marks of a list. */
function refusalWords(status: number, answer: Answer | null): string {
  const message = answer?.['message']
  if (typeof message !== 'string') return `The simulator failed (${status}). Its output says why.`
  const plain = message
    .replaceAll('✖ ', '')
    .replaceAll(/\s*→ at /g, ', at ')
    .replaceAll(/\s*\n\s*/g, '; ')
  return `Nothing has changed. ${sentence(plain)}`
}

const shortened = (text: string): string =>
  text.length > longestAnswer
    ? `${text.slice(0, longestAnswer)}\n… ${text.length - longestAnswer} more characters`
    : text

/** The order of a form that does not exist, as from an old tab. */
export function unknownOrder(): never {
  throw new FormProblem('This page has no such action any more. Nothing has changed.')
}

const listIn = (answer: Answer, name: string): readonly unknown[] => {
  const list = answer[name]
  return Array.isArray(list) ? list : []
}

export const countIn = (answer: Answer, name: string): number => listIn(answer, name).length

/** Which webhooks the bank's change caused. */
export function webhookWords(answer: Answer): string {
  const names = listIn(answer, 'webhooks').map((webhook) =>
    isRecord(webhook) ? `${String(webhook['webhook_type'])} ${String(webhook['webhook_code'])}` : 'unknown',
  )
  if (names.length === 0) return 'No webhook was sent.'
  return `${names.length === 1 ? 'Webhook' : 'Webhooks'}: ${[...new Set(names)].join(', ')}.`
}

/** "1 transaction", "2 transactions". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
