// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a string of RFC 8941 in quotes, or the same characters
// without them, as many clients send it.
import * as z from 'zod'

/** The header in lower case. */
export const idempotencyName = 'idempotency-key'

const pattern = /^(?:"[\w.:~+/=-]{8,200}"|[\w.:~+/=-]{8,200})$/

/** The header, read as the key. */
export const idempotencyHeader = z
  .string()
  .regex(pattern, { error: 'Must be 8 to 200 letters, digits or characters of . _ : ~ + / = -, such as a UUID.' })
  .transform((text) => text.replaceAll('"', ''))
  .pipe(z.string())
  .optional()

/** The headers of a route that takes the key. */
export const idempotencyHeaders = z.object({ [idempotencyName]: idempotencyHeader })
