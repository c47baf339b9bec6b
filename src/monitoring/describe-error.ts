// Describes errors for logs and reports: names, codes, redacted messages and causes. Never other members, in which
// libraries store requests, payloads and connection strings.

import { AppError } from '../errors.ts'
import { type Redact, redact } from './redact.ts'

const maxCauses = 5
const maxMessageLength = 1000
const maxStackFrames = 8

export interface DescribedError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly reason?: string
  readonly stack?: readonly string[]
  readonly cause?: DescribedError
}

/** Errors whose message quotes the parsed text: request bodies with personal data, which no pattern recognizes. */
export const quotingErrors: ReadonlySet<string> = new Set(['SyntaxError', 'ZodError', '$ZodError'])
export const WITHHELD = '[withheld]'

/** Describes a thrown value, with at most five causes and eight stack frames. */
export function describeError(error: unknown, redactText: Redact = redact): DescribedError {
  return describe(error, redactText, maxCauses)
}

function describe(error: unknown, redactText: Redact, causesLeft: number): DescribedError {
  const clean = (text: string): string => redactText(text).slice(0, maxMessageLength)
  if (!(error instanceof Error)) return { name: typeof error, message: typeof error === 'string' ? clean(error) : '' }
  const code: unknown = 'code' in error ? error.code : undefined
  const reason = error instanceof AppError ? error.reason : undefined
  return {
    name: clean(error.name),
    message: quotingErrors.has(error.name) ? WITHHELD : clean(error.message),
    ...(typeof code === 'string' ? { code: clean(code) } : {}),
    ...(reason === undefined ? {} : { reason: clean(reason) }),
    ...(error.stack === undefined ? {} : { stack: frames(error.stack, clean) }),
    ...(error.cause === undefined || causesLeft === 0
      ? {}
      : { cause: describe(error.cause, redactText, causesLeft - 1) }),
  }
}

/** Only the frames: the lines before them repeat the message. */
function frames(stack: string, clean: Redact): readonly string[] {
  return stack
    .slice(0, 8192)
    .split('\n')
    .filter((line) => /^\s{1,8}at /.test(line))
    .slice(0, maxStackFrames)
    .map((line) => clean(line.trim()))
}
