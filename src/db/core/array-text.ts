// PostgreSQL's text form of arrays (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO) by way of JSON,
// whose native writer is ten times faster than the driver's, which escapes every element in JavaScript.

const escapes = /\\(.)([0-9a-f]{4})?/g

/** JSON writes control characters as escapes. To PostgreSQL `\n` in an array is the letter n. */
const charactersOf: ReadonlyMap<string, string> = new Map(
  Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
)

/**
 * A one-dimensional array, for a parameter that the statement casts: `$1::text[]`.
 * @throws TypeError for a number that JSON cannot write
 */
export function arrayText(values: readonly (string | number | boolean | null)[]): string {
  if (values.some((value) => typeof value === 'number' && !Number.isFinite(value)))
    throw new TypeError('An array of a statement holds a number that is not finite.')
  const json = JSON.stringify(values).slice(1, -1)
  const elements = json.replaceAll(escapes, (written, kind: string, code: string | undefined) => {
    if (kind === 'u' && code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return `${charactersOf.get(kind) ?? written.slice(0, 2)}${code ?? ''}`
  })
  return `{${elements}}`
}
