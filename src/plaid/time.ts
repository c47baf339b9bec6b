// Parses times from Plaid, which may be absent.
import * as z from 'zod'

/** The earliest plausible year. PostgreSQL has no year 0, and JavaScript reads years under 100 as 19xx. */
const firstYear = 1970
const lastYear = 9999

function usable(text: string): Date | null {
  const time = new Date(text)
  const year = time.getUTCFullYear()
  return year >= firstYear && year <= lastYear ? time : null
}

/** A time; null if it is absent, empty, not a string, or not plausible. */
export const optionalTime = z
  .string()
  .nullish()
  .catch(null)
  .transform((text) => (text === null || text === undefined ? null : usable(text)))
