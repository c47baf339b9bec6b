// The type of an assertion of the conformance kit, and how its check fails or reports that it is impossible here. The
// same check runs against a stand-in and the real service.
import { isDeepStrictEqual } from 'node:util'

/**
 * How certain the promise is: `sure` was read in the service's source or description, `likely` is documented and was
 * not observed, `open` can only be decided at the real service.
 */
export type Certainty = 'sure' | 'likely' | 'open'

export interface Assertion<Target> {
  /** `service/what-it-asserts`; the key of its row in the report. */
  readonly name: string
  readonly promise: string
  /** A documentation page, or a file of the service's source. */
  readonly source: string
  readonly certainty: Certainty
  /** Takes many seconds or much data, so it runs only with --slow. */
  readonly isSlow?: true
  /**
   * Resolves if the promise holds, with the observed variant if several are allowed. Rejects with what was observed
   * instead, or with `uncheckable`.
   */
  check(target: Target): Promise<string | void>
}

const uncheckableCode = 'UNCHECKABLE'
const quotedCharacters = 160

/** An error for a check that is impossible here. The report states the reason and does not count it as passed. */
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

/** @throws Error that names `what` and quotes the observed value */
export function expectThat(what: string, holds: boolean, seen: unknown): void {
  if (!holds) throw new Error(`${what}, got ${quoted(seen)}`)
}
