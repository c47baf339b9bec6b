// Answers changed by rule, for what Plaid may send and this bank never would. The bank itself stays as it is.
import { isRecord } from '../lib/exact-json.ts'
import { changedAt, type JsonPath, removed } from '../lib/json-path.ts'

/** What a rule puts in a value's place. */
export type Replacement =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'removed' }
  /** Another JSON type than the value has. */
  | { readonly kind: 'wrong_type' }

export interface Alteration {
  /** A path of Plaid's, or `*` for every endpoint. */
  readonly endpoint: string
  /** As it was ordered, and parsed; null changes the status alone. */
  readonly path: { readonly text: string; readonly steps: JsonPath } | null
  readonly replacement: Replacement | null
  /** The status of a changed answer; null keeps it. */
  readonly status: number | null
  /** Whether it changes errors rather than successful answers. */
  readonly errors: boolean
  /** How many more answers it changes; null for all. */
  times: number | null
  /** How many answers that it could change pass before. */
  after: number
}

interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** The answer as the rules leave it, in the order in which they came. Counts each rule that had something to change. */
export function altered(rules: Alteration[], endpoint: string, answered: Answered): Answered {
  let { status, body } = answered
  const failed = status >= 400
  for (const rule of rules.filter((each) => each.endpoint === endpoint || each.endpoint === '*')) {
    if (rule.errors !== failed) continue
    const next = changedBody(body, rule)
    if (next === body && (rule.path !== null || rule.status === null)) continue
    if (rule.after > 0) {
      rule.after -= 1
      continue
    }
    body = next
    status = rule.status ?? status
    count(rules, rule)
  }
  return { status, body }
}

function count(rules: Alteration[], rule: Alteration): void {
  if (rule.times === null) return
  rule.times -= 1
  if (rule.times <= 0) rules.splice(rules.indexOf(rule), 1)
}

function changedBody(body: Record<string, unknown>, { path, replacement }: Alteration): Record<string, unknown> {
  if (path === null || replacement === null) return body
  const after = changedAt(body, path.steps, (before) => replaced(before, replacement))
  // A path begins with a name, so an object stays one.
  return isRecord(after) ? after : body
}

function replaced(before: unknown, replacement: Replacement): unknown {
  if (replacement.kind === 'value') return replacement.value
  if (replacement.kind === 'removed') return before === undefined ? before : removed
  return before === undefined ? before : ofAnotherType(before)
}

function ofAnotherType(before: unknown): unknown {
  if (Array.isArray(before)) return {}
  if (typeof before === 'string' || before === null) return 7
  if (typeof before === 'object' && !JSON.isRawJSON(before)) return []
  return 'text'
}
