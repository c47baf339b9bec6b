// Parses `Authorization: Bearer <token>` (RFC 6750 §2.1). The token is unverified.

/** Longer headers are refused. */
const maxHeaderLength = 8192

/**
 * The token, or null for a header that is absent, has another scheme, is malformed (RFC 6750's `b64token`) or is over 8
 * kB.
 */
export function parseBearer(header: string | null): string | null {
  if (header === null || header.length > maxHeaderLength) return null
  return /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1] ?? null
}
