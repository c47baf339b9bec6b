// Runs a list of checks. Each has one verdict: pass, warn or fail. A check whose result is unknown does not pass, and a
// check that throws fails.
import { stripVTControlCharacters } from 'node:util'
import { redacted } from './redacted.ts'

export type Status = 'pass' | 'warn' | 'fail'

/** What a check found, in one sentence; and what to do, unless it passed. */
export interface Verdict {
  readonly status: Status
  readonly said: string
  readonly remedy?: string
}

export interface CheckResult extends Verdict {
  readonly name: string
}

export interface CheckReport {
  /** Whether no check failed. Warnings do not count. */
  readonly ok: boolean
  readonly results: readonly CheckResult[]
}

export interface Check<Ports> {
  readonly name: string
  check(ports: Ports): Promise<Verdict> | Verdict
}

export const pass = (said: string): Verdict => ({ status: 'pass', said })
export const warn = (said: string, remedy: string): Verdict => ({ status: 'warn', said, remedy })
export const fail = (said: string, remedy: string): Verdict => ({ status: 'fail', said, remedy })

export interface CheckOptions {
  /** Removes secrets from what a check says. */
  readonly redact?: (text: string) => string
  /** Called after each check. */
  readonly onResult?: (result: CheckResult) => void
  /** Stops before the next check. */
  readonly signal?: AbortSignal
}

const maxTextLength = 600

/** The message of an error, without its type; for an AggregateError, the messages of its errors. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join('; ')
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? ` (${messageOf(error.cause)})` : ''
  return `${error.message || error.name}${cause}`
}

/** Without line breaks, and without the colours of other programs. */
const oneLine = (text: string): string =>
  stripVTControlCharacters(text).replaceAll(/\s+/g, ' ').trim().slice(0, maxTextLength)

async function verdictOf<Ports>(check: Check<Ports>, ports: Ports): Promise<Verdict> {
  try {
    return await check.check(ports)
  } catch (error) {
    return fail(
      messageOf(error),
      'The check itself did not finish: remove the cause that the message names, then run it again.',
    )
  }
}

/** Runs the checks in their order. A check that fails does not stop the others. */
export async function runChecks<Ports>(
  checks: readonly Check<Ports>[],
  ports: Ports,
  { redact = redacted, onResult, signal }: CheckOptions = {},
): Promise<CheckReport> {
  const results: CheckResult[] = []
  for (const check of checks) {
    signal?.throwIfAborted()
    const { status, said, remedy } = await verdictOf(check, ports)
    const result: CheckResult = {
      name: check.name,
      status,
      said: oneLine(redact(said)),
      ...(remedy === undefined ? {} : { remedy: oneLine(redact(remedy)) }),
    }
    onResult?.(result)
    results.push(result)
  }
  return { ok: results.every(({ status }) => status !== 'fail'), results }
}

const labels: Readonly<Record<Status, string>> = { pass: 'pass', warn: 'WARN', fail: 'FAIL' }

/** The lines of a result: the finding, and below it the remedy. */
export const describeResult = ({ status, name, said, remedy }: CheckResult): string =>
  `${labels[status]}  ${name}: ${said}${remedy === undefined ? '' : `\n      → ${remedy}`}`

/** `9 passed, 1 warned, 0 failed.` */
export function describeReport({ results }: CheckReport): string {
  const count = (status: Status) => results.filter((result) => result.status === status).length
  return `${count('pass')} passed, ${count('warn')} warned, ${count('fail')} failed.`
}
