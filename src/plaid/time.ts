// Times as Plaid writes them, where they may be absent.
import * as z from 'zod'

/**
 * Earlier than this nothing of Plaid's happened; Postgres has no year 0, and JavaScript reads years under 100 as 19xx.
 */
const firstYear = 1970
const lastYear = 9999

function usable(text: string): Date | null {
  const time = new Date(text)
  const year = time.getUTCFullYear()
  return year >= firstYear && year <= lastYear ? time : null
}

/** A time; null where it is absent, `""`, no text, or no time that can be meant. */
export const optionalTime = z
  .string()
  .nullish()
  .catch(null)
  .transform((text) => (text === null || text === undefined ? null : usable(text)))
