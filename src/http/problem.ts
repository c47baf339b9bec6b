// Failures as RFC 9457 problems. Only an AppError has something to tell a client; of anything else nothing is shown.
import * as z from 'zod'
import { AppError, type ErrorCode, errorTable, type FieldError } from '../errors.ts'

export const problemMediaType = 'application/problem+json'

const errorCodes = Object.keys(errorTable)

/** The shape of every error answer, for the API's description. */
export const problemSchema = z
  .looseObject({
    type: z.string().meta({ format: 'uri-reference', description: 'A URI reference that is stable for each code.' }),
    title: z.string(),
    status: z.int().min(400).max(599).meta({ description: 'The HTTP status.' }),
    detail: z.string(),
    instance: z.string().meta({ description: 'The request: `urn:uuid:` and its `X-Request-Id`.' }),
    code: z.enum(errorCodes),
    errors: z
      .array(
        z.object({
          pointer: z
            .string()
            .optional()
            .meta({ description: 'The field in the body: a JSON pointer as a URI fragment.' }),
          parameter: z
            .string()
            .optional()
            .meta({ description: 'The parameter in the path, the query or the headers.' }),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' })

/** Whatever was thrown, as the error that a client may see. */
export function asAppError(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError('internal', 'Something went wrong on our side.', { cause: error })
}

/** Body fields are JSON pointers (`#/name`); anything else names a parameter. */
function describeField({ pointer, detail }: FieldError): Record<string, string> {
  return /^[#/]/.test(pointer) ? { pointer, detail } : { parameter: pointer, detail }
}

/** The problem's members. An extension can add to them and replaces none. */
function problemBody(error: AppError, requestId: string): Record<string, unknown> {
  const { status, title } = errorTable[error.code]
  return {
    ...error.extensions,
    type: `/problems/${error.code}`,
    title,
    status,
    detail: error.detail,
    instance: `urn:uuid:${requestId}`,
    code: error.code,
    ...(error.fields.length === 0 ? {} : { errors: error.fields.map(describeField) }),
  }
}

/** The answer to a failure, with the headers that its status asks for (RFC 9110 §10.2.1, §10.2.3, §11.6.1). */
export function problemResponse(thrown: unknown, requestId: string): Response {
  const error = asAppError(thrown)
  const { status } = errorTable[error.code]
  const headers = new Headers({ 'content-type': problemMediaType })
  const { allow } = error.extensions
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  if (status === 405 && typeof allow === 'string') headers.set('allow', allow)
  if (error.retryAfterSeconds !== undefined)
    headers.set('retry-after', String(Math.max(0, Math.ceil(error.retryAfterSeconds))))
  return new Response(JSON.stringify(problemBody(error, requestId)), { status, headers })
}

/** Whether an operator should hear of it: unknown errors, and those that the table says. */
export function isReportable(error: unknown): boolean {
  const code: ErrorCode = asAppError(error).code
  return errorTable[code].reportable
}
