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
    expect(errorWords(problem(429, { code: 'rate_limited', detail: 'Too many.' }, seconds))).toMatchObject({
      why: 'Too many attempts.',
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

  test('say what to do next after any other failure', () => {
    expect(errorWords(problem(503, { code: 'unavailable', detail: 'No.' })).next).toBe('Try again in a minute.')
    expect(errorWords(new TypeError('fetch failed')).next).toBe('Check your connection, then try again.')
  })
})
