// Plaid's `user_custom`: a login whose password is JSON that describes its accounts.
import { isRecord, parseExact } from '../lib/exact-json.ts'
import { failure } from '../lib/failure.ts'

/**
 * The custom user in a password, with exact numbers; null for every other user name. Fails with INVALID_CREDENTIALS.
 */
export function customUserOf(username: string, password: string | null): Record<string, unknown> | null {
  if (username !== 'user_custom') return null
  try {
    const parsed = parseExact(password ?? '')
    if (isRecord(parsed)) return parsed
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw failure('INVALID_CREDENTIALS', "user_custom's password must be a JSON object")
}
