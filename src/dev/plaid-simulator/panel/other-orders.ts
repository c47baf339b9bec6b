// The orders about webhooks, responses of Plaid and the clock.
import { endpoints } from '../endpoints/all.ts'
import type { ErrorCode } from '../lib/failure.ts'
import { tamperings } from '../state/webhooks.ts'
import { type Form, FormProblem } from './form.ts'
import { countIn, counted, type Order } from './outcome.ts'

type PlainOrder = (form: Form) => Order

const dayMs = 86_400_000

export const endpointNames: readonly string[] = ['*', ...endpoints.map(({ path }) => path).toSorted()]

const error = (code: ErrorCode) => ({ error: code })

/** The failures that can be ordered, by their name in the form. */
export const failures: Readonly<Record<string, { readonly label: string; readonly fault: object }>> = {
  internal: { label: 'Error 500, INTERNAL_SERVER_ERROR', fault: error('INTERNAL_SERVER_ERROR') },
  maintenance: { label: 'Error 503, PLANNED_MAINTENANCE', fault: error('PLANNED_MAINTENANCE') },
  limit: { label: 'Error 429, RATE_LIMIT', fault: error('RATE_LIMIT') },
  down: { label: 'INSTITUTION_DOWN', fault: error('INSTITUTION_DOWN') },
  silent: { label: 'INSTITUTION_NOT_RESPONDING', fault: error('INSTITUTION_NOT_RESPONDING') },
  token: { label: 'INVALID_ACCESS_TOKEN', fault: error('INVALID_ACCESS_TOKEN') },
  proxy: { label: 'A proxy’s HTML page with 502', fault: { status: 502, text: '<html>502 Bad Gateway</html>' } },
  slow: { label: 'The response takes 3 seconds', fault: { latency_ms: 3000 } },
  'cut-before': { label: 'The connection is lost before the call', fault: { drop: 'before' } },
  'cut-after': { label: 'The connection is lost after the call took effect', fault: { drop: 'after' } },
  hang: { label: 'No response at all', fault: { hang: 'before' } },
  mutation: { label: 'The item changes between two pages', fault: { mutate_during_pagination: true } },
}

export const changesOfValue = ['value', 'remove', 'wrong_type'] as const

const times = (form: Form): number => form.whole('times', 'The number of calls', 1, 10_000)
const endpoint = (form: Form): string => form.oneOf('endpoint', 'The endpoint', endpointNames)
const called = (path: string): string => (path === '*' ? 'every endpoint' : path)

const fail: PlainOrder = (form) => {
  const wanted = failures[form.oneOf('failure', 'The failure', Object.keys(failures))]
  const body = { endpoint: endpoint(form), times: times(form), ...wanted?.fault }
  return {
    method: 'POST',
    path: '/faults',
    body,
    words: () => `Failure for the next ${counted(body.times, 'call')} of ${called(body.endpoint)}: ${wanted?.label}.`,
  }
}

const alter: PlainOrder = (form) => {
  const path = form.text('path')
  if (path === '') throw new FormProblem('The place must name a member, such as accounts[0].name.')
  const how = form.oneOf('change', 'The change', changesOfValue)
  const limit = form.text('times') === '' ? {} : { times: times(form) }
  const value = how === 'value' ? { value: form.json('value', 'The value') } : { [how]: true }
  const body = { endpoint: endpoint(form), path, ...value, ...limit }
  return {
    method: 'POST',
    path: '/answers',
    body,
    words: () => `Responses of ${called(body.endpoint)} change at ${path}. The bank itself stays as it is.`,
  }
}

/** The faults of deliveries that count webhooks. */
export const countedFaults = {
  drop: ['Drop', 'never arrive'],
  duplicate: ['Duplicate', 'arrive twice'],
  reorder: ['Reorder', 'wait for one another and arrive in reverse order'],
} as const
const countedNames = ['drop', 'duplicate', 'reorder'] as const

const webhooks = (body: object, words: string): Order => ({
  method: 'POST',
  path: '/webhooks',
  body,
  words: () => words,
})

const disturb: PlainOrder = (form) => {
  const fault = form.oneOf('fault', 'What happens to them', countedNames)
  const count = form.whole('count', 'The number of webhooks', fault === 'reorder' ? 2 : 1, 10_000)
  const [, effect] = countedFaults[fault]
  return webhooks({ [fault]: count }, `The next ${counted(count, 'webhook')} will ${effect}.`)
}

const delay: PlainOrder = (form) => {
  const seconds = form.whole('seconds', 'The delay', 0, 600)
  return webhooks(
    { delay_ms: seconds * 1000 },
    seconds === 0 ? 'Webhooks are sent at once.' : `Webhooks wait ${counted(seconds, 'second')} from now on.`,
  )
}

const tamper: PlainOrder = (form) => {
  const tampering = form.oneOf('tamper', 'The fault', tamperings)
  return webhooks({ tamper: tampering }, `Webhooks are sent with a broken signature from now on: ${tampering}.`)
}

const advance: PlainOrder = (form) => {
  const days = form.whole('days', 'The number of days', 1, 366)
  return {
    method: 'POST',
    path: '/clock',
    body: { advance_ms: days * dayMs },
    words: (answer) =>
      `The day at the banks was ${String(answer['from'])} and is now ${String(answer['today'])}. ` +
      `${counted(countIn(answer, 'items'), 'bank')} moved on.`,
  }
}

const reset: PlainOrder = (form) => {
  if (!form.isChecked('sure')) throw new FormProblem('Tick the box to confirm. Nothing has changed.')
  return { method: 'POST', path: '/reset', body: {}, words: () => 'The simulator is empty: every bank is gone.' }
}

/** By page, and by the name that the form's address ends in. */
export const otherOrders: Readonly<Record<string, Readonly<Record<string, PlainOrder>>>> = {
  webhooks: {
    disturb,
    delay,
    tamper,
    rotate: () => webhooks({ rotate_key: true }, 'Webhooks are signed with a new key. The old one stays valid.'),
    normal: () =>
      webhooks({ drop: 0, duplicate: 0, reorder: 0, delay_ms: 0, tamper: false }, 'Webhooks are delivered normally.'),
  },
  failures: {
    fail,
    alter,
    'no-failures': () => ({ method: 'DELETE', path: '/faults', words: () => 'No call is set to fail any more.' }),
    'no-changes': () => ({ method: 'DELETE', path: '/answers', words: () => 'Responses are as the bank has them.' }),
  },
  clock: { advance, reset },
}
