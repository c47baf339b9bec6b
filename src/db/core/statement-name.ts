// Names a call to the database by its main statement: `update items`, `select transactions`. Only names from the
// statement's text, which is code; values are parameters and not part of it.

const name = String.raw`\s{1,40}"?([a-z_][a-z0-9_.]{0,60})`
/**
 * A statement that writes is named by what it writes, also if it begins with a query. Not `for update` and `do update`.
 */
const writes = new RegExp(
  String.raw`(?<!\bfor\s{1,40}(?:no key )?|\bdo\s{1,40})\b(insert into|update|delete from)${name}`,
  'i',
)
const reads = new RegExp(String.raw`\bfrom${name}`, 'i')
const calls = /^\s{0,40}select\s{1,40}([a-z_][a-z0-9_.]{0,60})\s{0,9}\(/i
/** Enough for the beginning of any statement, also after its CTEs. */
const longestText = 8192

function nameOfStatement(text: string): string {
  const start = text.slice(0, longestText)
  const [, verb, written] = writes.exec(start) ?? []
  if (verb !== undefined && written !== undefined) return `${verb.slice(0, 6).toLowerCase()} ${written}`
  const called = calls.exec(start)?.[1]
  if (called !== undefined && called.includes('.')) return `call ${called}`
  const read = reads.exec(start)?.[1]
  return read === undefined ? 'other' : `select ${read}`
}

/** Statements around the one that a batch is made for: its user, the user's counter, and its row of the audit trail. */
const accompanying: ReadonlySet<string> = new Set([
  'call app.enter',
  'call app.record_audit',
  'select public.users',
  'other',
])

/** The name of a batch: that of its first statement which accompanies no other. */
export function nameOfBatch(texts: readonly string[]): string {
  let first: string | null = null
  for (const text of texts) {
    const found = nameOfStatement(text)
    if (!accompanying.has(found)) return found
    first ??= found
  }
  return first ?? 'other'
}
