// What a failed request says to the person.
import { ProblemError } from '@wealthnavigator/client'
import { describe, expect, test } from 'vitest'
import { errorWords } from '../../../src/console/format/words.ts'

const problem = (status: number, body: object, retryAfterSeconds: number | null = null): ProblemError =>
  new ProblemError(new Response(null, { status }), body, retryAfterSeconds)

describe('the words of a failure', () => {
  test.each([
    [null, 'in a minute'],
    [30, 'in a minute'],
    [61, 'in 2 minutes'],
    [900, 'in 15 minutes'],
    [7200, 'in 2 hours'],
  ])('say after too many attempts when to try again: after %s seconds, %s', (seconds, when) => {
    const body = { code: 'rate_limited', detail: 'Too many requests. Try again later.' }
    expect(errorWords(problem(429, body, seconds))).toMatchObject({
      why: 'Too many requests.',
      next: `Try again ${when}.`,
    })
  })

  test('name what is wrong with each field', () => {
    const errors = [
      { pointer: '#/password', detail: 'Must not repeat the same few characters.' },
      { pointer: '#/email', detail: 'Must be an e-mail address.' },
    ]
    const body = { code: 'validation_failed', detail: 'The password is too weak.', errors }
    expect(errorWords(problem(422, body))).toMatchObject({
      why: 'The password is too weak.',
      next: 'Must not repeat the same few characters. Must be an e-mail address.',
    })
  })

  test.each([
    [
      'rate_limited',
      'Too many sign-ins at the moment. Try again later.',
      'Too many sign-ins at the moment.',
      'Try again in 2 minutes.',
    ],
    [
      'too_many_refreshes',
      'The bank was asked a moment ago.',
      'The bank was asked a moment ago.',
      'Try again in 2 minutes.',
    ],
    [
      'too_many_links',
      'At most 5 links are allowed. Try again later.',
      'At most 5 links are allowed.',
      'Try again tomorrow.',
    ],
    [
      'frozen',
      'Changes are paused. Reading continues. Try again later.',
      'Changes are paused. Reading continues.',
      'Try again later.',
    ],
  ])('keep what the API says, and say once when to try again: %s', (code, detail, why, next) => {
    expect(errorWords(problem(code === 'frozen' ? 503 : 429, { code, detail }, 120))).toMatchObject({ why, next })
  })

  test('say what to do next after any other failure', () => {
    expect(errorWords(problem(503, { code: 'unavailable', detail: 'No.' })).next).toBe('Try again in a minute.')
    expect(errorWords(new TypeError('fetch failed')).next).toBe('Check your connection, then try again.')
  })
})
