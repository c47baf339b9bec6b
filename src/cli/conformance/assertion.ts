// What an assertion of the conformance kit is, and how its check says that it failed or cannot be made. A check is the
// same code for a stand-in and for the real service.
import { isDeepStrictEqual } from 'node:util'

/**
 * How well the promise is known: `sure` is read in the service's own source or description, `likely` is documented but
 * unseen, `open` is a question that only the real service answers.
 */
export type Certainty = 'sure' | 'likely' | 'open'

export interface Assertion<Target> {
  /** `service/what-it-asserts`; the key of its row in the report. */
  readonly name: string
  readonly promise: string
  /** A documentation page, or a file of the service's source. */
  readonly source: string
  readonly certainty: Certainty
  /** Takes many seconds or many bytes: runs only with --slow. */
  readonly isSlow?: true
  /**
   * Resolves when the promise holds: with what was seen, where it allows several answers. Rejects with what was seen
   * instead, or with `uncheckable`.
   */
  check(target: Target): Promise<string | void>
}

const uncheckableCode = 'UNCHECKABLE'
const quotedCharacters = 160

/** An error that says why the check cannot be made here; the report says so, and does not count it as passed. */
export function uncheckable(reason: string): Error {
  return Object.assign(new Error(reason), { code: uncheckableCode })
}

export function isUncheckable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === uncheckableCode
}

function quoted(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > quotedCharacters ? `${text.slice(0, quotedCharacters)}…` : text
}

/** @throws Error that names `what`, the expected and the actual value */
export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected))
    throw new Error(`${what}: expected ${quoted(expected)}, got ${quoted(actual)}`)
}

/** @throws Error that names `what` and quotes what was seen */
export function expectThat(what: string, holds: boolean, seen: unknown): void {
  if (!holds) throw new Error(`${what}, got ${quoted(seen)}`)
}
