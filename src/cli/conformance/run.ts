// Runs assertions one after the other against one target. A failed or impossible one does not stop the run.
import { redacted } from '../lib/redacted.ts'
import { type Assertion, isUncheckable } from './assertion.ts'

export type Outcome =
  | { readonly kind: 'passed'; readonly seen?: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'unchecked'; readonly reason: string }

export interface Result {
  readonly name: string
  readonly outcome: Outcome
}

export interface RunChoices {
  readonly slow: boolean
  /** Only assertions whose name contains this text. */
  readonly only: string
  readonly print: (line: string) => void
  /** Stops before the next assertion. What the run created is still removed. */
  readonly signal: AbortSignal
}

const signs = { passed: 'ok  ', failed: 'FAIL', unchecked: '----' } as const

async function outcomeOf<Target>(assertion: Assertion<Target>, target: Target): Promise<Outcome> {
  try {
    const seen = await assertion.check(target)
    return typeof seen === 'string' ? { kind: 'passed', seen: redacted(seen) } : { kind: 'passed' }
  } catch (error) {
    const reason = redacted(error instanceof Error ? error.message : String(error))
    return { kind: isUncheckable(error) ? 'unchecked' : 'failed', reason }
  }
}

export async function runAssertions<Target>(
  assertions: readonly Assertion<Target>[],
  target: Target,
  { slow, only, print, signal }: RunChoices,
): Promise<Result[]> {
  const results: Result[] = []
  for (const assertion of assertions) {
    signal.throwIfAborted()
    const { name } = assertion
    if (!name.includes(only) || (assertion.isSlow === true && !slow)) continue
    const outcome = await outcomeOf(assertion, target)
    const said = outcome.kind === 'passed' ? outcome.seen : outcome.reason
    print(`${signs[outcome.kind]} ${name}${said === undefined ? '' : `: ${said}`}`)
    results.push({ name, outcome })
  }
  return results
}
