// What a bank says to a user name and a password: Plaid's sandbox credentials
// (https://plaid.com/docs/sandbox/test-credentials/).
import { customUserOf } from '../items/custom-user-password.ts'
import { failure, isErrorCode } from '../lib/failure.ts'
import type { MfaRound, MfaType, Question } from '../state/link-page.ts'

/** The code for every device. */
const deviceCode = '1234'

const device: readonly MfaRound[] = [
  {
    type: 'device',
    questions: [
      {
        text: 'Where should the bank send a code?',
        options: ['Text message to •••-•••-0199', 'E-mail to u•••@example.com'],
        answer: null,
      },
    ],
  },
  { type: 'code', questions: [{ text: 'Code', options: null, answer: deviceCode }] },
]

const oneSelection: readonly MfaRound[] = [
  { type: 'selections', questions: [{ text: 'Is this your bank?', options: ['Yes', 'No'], answer: 'Yes' }] },
]

/**
 * The further questions that the bank asks after these credentials. Fails with a PlaidFailure if the bank refuses them.
 * `user_good` needs `pass_good`; other names take every password, except that `error_CODE` is that error and `mfa_…`
 * asks questions.
 */
export function checkLogin(username: string, password: string): readonly MfaRound[] {
  if (username === '' || password === '') throw failure('INVALID_CREDENTIALS')
  if (username === 'user_custom') {
    customUserOf(username, password)
    return []
  }
  const [, code] = /^error_([A-Z_]+)$/.exec(password) ?? []
  if (code !== undefined && isErrorCode(code)) throw failure(code)
  const rounds = roundsOf(password)
  if (rounds === null && username === 'user_good' && password !== 'pass_good') throw failure('INVALID_CREDENTIALS')
  return rounds ?? []
}

/** Plaid's patterns: `mfa_questions_ROUNDS_QUESTIONS` and `mfa_selections_ROUNDS_QUESTIONS_ANSWERS`. */
function roundsOf(password: string): readonly MfaRound[] | null {
  if (password === 'mfa_device') return device
  if (password === 'mfa_selections') return oneSelection
  const [, rounds, questions] = /^mfa_questions_([1-9])_([1-9])$/.exec(password) ?? []
  if (rounds !== undefined) return many('questions', Number(rounds), Number(questions), 0)
  const [, sets, choices, options] = /^mfa_selections_([1-9])_([1-9])_([2-9])$/.exec(password) ?? []
  return sets === undefined ? null : many('selections', Number(sets), Number(choices), Number(options))
}

const count = (length: number): number[] => Array.from({ length }, (_, index) => index)

/** The right replies are `answer_ROUND_QUESTION`, counted from 0, and for selections the option that ends in `_0`. */
function many(type: MfaType, rounds: number, questions: number, options: number): MfaRound[] {
  const question = (round: number, index: number): Question => {
    const text = `Question ${index + 1} of ${questions}, round ${round + 1} of ${rounds}`
    const answer = `answer_${round}_${index}`
    if (options === 0) return { text, options: null, answer }
    return { text, options: count(options).map((option) => `${answer}_${option}`), answer: `${answer}_0` }
  }
  return count(rounds).map((round) => ({ type, questions: count(questions).map((index) => question(round, index)) }))
}

/** Fails with INVALID_MFA unless every reply is right. */
export function checkAnswers({ questions }: MfaRound, answers: readonly string[]): void {
  const right = questions.every(({ options, answer }, index) => {
    const given = answers[index]?.trim() ?? ''
    return answer === null ? (options?.includes(given) ?? false) : given === answer
  })
  if (!right) throw failure('INVALID_MFA')
}
