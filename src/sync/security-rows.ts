// Maps Plaid's securities to rows for the database.
import type { PlaidSecurityRow } from '../db/records/investments-merge.ts'
import type { PlaidSecurity } from '../plaid/schemas.ts'

/** Several pages can list a security; the last entry is the newest. */
export function securityRows(securities: readonly PlaidSecurity[]): PlaidSecurityRow[] {
  const newest = new Map(securities.map((security) => [security.security_id, security]))
  return [...newest.values()].map(({ security_id: id, ...security }) => ({ plaid_security_id: id, ...security }))
}
