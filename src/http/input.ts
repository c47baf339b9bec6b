// Parses path and query parameters, headers and JSON bodies, once. Field errors name places and rules and never quote a value.
import type * as z from 'zod'
import { fromUtf8 } from '../crypto/encoding.ts'
import { AppError, type FieldError } from '../errors.ts'

/** The maximum number of field errors in a response. */
const maxFieldErrors = 20

type Place = 'body' | 'parameters'

/** An unknown key is shown only if it looks like a misspelt name, not like a value. */
const looksLikeName = /^[A-Za-z][A-Za-z0-9_]{0,39}$/

function locate(place: Place, path: readonly PropertyKey[]): string {
  if (place === 'parameters') return String(path[0] ?? 'query')
  const steps = path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))
  return ['#', ...steps].join('/')
}

function fieldErrorsOf(place: Place, issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: locate(place, issue.path), detail: issue.message }]
  return issue.keys.map((key) => ({
    pointer: locate(place, looksLikeName.test(key) ? [...issue.path, key] : issue.path),
    detail: place === 'body' ? 'Unknown field.' : 'Unknown parameter.',
  }))
}

/** @throws AppError `validation_failed` with each invalid field, at most 20 */
function parse<Schema extends z.ZodType>(schema: Schema, place: Place, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fields = parsed.error.issues.flatMap((issue) => fieldErrorsOf(place, issue)).slice(0, maxFieldErrors)
  const detail = place === 'body' ? 'The request body is not valid.' : 'The request parameters are not valid.'
  throw new AppError('validation_failed', detail, { fields })
}

/** Parses parameters of the path, and headers. */
export function parseParameters<Schema extends z.ZodType>(
  schema: Schema,
  values: Readonly<Record<string, string>>,
): z.output<Schema> {
  return parse(schema, 'parameters', values)
}

/** Page parameters. Clients often send them empty for the first page. */
const pageParameters = new Set(['cursor', 'limit', 'since'])

/**
 * Parses the query string. An empty page parameter counts as absent. A repeated parameter is refused, because parsers
 * disagree on which of the two counts.
 */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: URLSearchParams): z.output<Schema> {
  const names = [...query.keys()]
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) {
    const pointer = looksLikeName.test(repeated) ? repeated : 'query'
    const fields = [{ pointer, detail: 'Must be given only once.' }]
    throw new AppError('validation_failed', 'The request parameters are not valid.', { fields })
  }
  const given = [...query].map(([name, value]) => [name, value === '' && pageParameters.has(name) ? undefined : value])
  return parse(schema, 'parameters', Object.fromEntries(given))
}

/** Whether a Content-Type is JSON. */
export function isJson(contentType: string | null): boolean {
  return /^application\/json\s*(?:;|$)/i.test(contentType?.trim() ?? '')
}

function parseJson(bytes: Uint8Array): unknown {
  const text = fromUtf8(bytes)
  if (text === null) throw new AppError('bad_request', 'The request body is not UTF-8.')
  try {
    return JSON.parse(text)
  } catch {
    // The engine's message quotes the body.
    throw new AppError('bad_request', 'The request body is not well-formed JSON.')
  }
}

/** Whether a Content-Encoding leaves the body unchanged. */
const isIdentity = (contentEncoding: string | null): boolean => /^\s*(?:identity\s*)?$/i.test(contentEncoding ?? '')

/**
 * Parses a JSON body.
 * @throws AppError `bad_request` if it is absent or malformed; `unsupported_media_type`, also for a compressed body;
 *   `validation_failed`
 */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  headers: Headers,
): z.output<Schema> {
  if (!isIdentity(headers.get('content-encoding')))
    throw new AppError('unsupported_media_type', 'The body must not be compressed.')
  if (bytes.length === 0) throw new AppError('bad_request', 'A JSON body is required.')
  if (!isJson(headers.get('content-type')))
    throw new AppError('unsupported_media_type', 'The body must be application/json.')
  return parse(schema, 'body', parseJson(bytes))
}
