// Rules that change responses, for data that Plaid may send and this bank never would. The bank stays as it is.
import { isRecord } from '../lib/exact-json.ts'
import { changedAt, type JsonPath, removed } from '../lib/json-path.ts'

/** The replacement for a value. */
export type Replacement =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'removed' }
  /** A value of another JSON type. */
  | { readonly kind: 'wrong_type' }

export interface Alteration {
  /** One of Plaid's paths, or `*` for every endpoint. */
  readonly endpoint: string
  /** The text of the request and its steps; null if only the status changes. */
  readonly path: { readonly text: string; readonly steps: JsonPath } | null
  readonly replacement: Replacement | null
  /** The status of a changed response; null keeps it. */
  readonly status: number | null
  /** Whether it changes errors rather than successful responses. */
  readonly errors: boolean
  /** How many more responses it changes; null for all. */
  times: number | null
  /** How many responses that it could change pass before. */
  after: number
}

interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

/**
 * The response after the rules, applied in the order in which they were added. Counts each rule that changed something.
 */
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
