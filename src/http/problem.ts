// Errors as RFC 9457 problems. Clients see the detail of an AppError; any other error reveals nothing.
import * as z from 'zod'
import { AppError, type ErrorCode, errorTable, type FieldError } from '../errors.ts'

export const problemMediaType = 'application/problem+json'

const errorCodes = Object.keys(errorTable)

/** The schema of every error response, for the API description. */
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

/** Converts a thrown value to the error that a client may see. */
export function asAppError(error: unknown): AppError {
  return error instanceof AppError
    ? error
    : new AppError('internal', 'Something went wrong on our side.', { cause: error })
}

/** Body fields are JSON pointers (`#/name`); anything else names a parameter. */
function describeField({ pointer, detail }: FieldError): Record<string, string> {
  return /^[#/]/.test(pointer) ? { pointer, detail } : { parameter: pointer, detail }
}

/** The members of the problem. Extensions add members and replace none. */
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

/** The response to an error, with the headers that its status requires (RFC 9110 §10.2.1, §10.2.3, §11.6.1). */
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

/** Whether to report the error to the operator: unknown errors, and those that the table marks. */
export function isReportable(error: unknown): boolean {
  const code: ErrorCode = asAppError(error).code
  return errorTable[code].reportable
}
