// Ids of rows of the audit trail that several requests or jobs may write and that are stored once.
import { sha256 } from '../crypto/digest.ts'
import { encodeHex, lengthPrefixed } from '../crypto/encoding.ts'

/** The same id for the same parts (RFC 9562, version 8). */
export async function fixedId(...parts: readonly string[]): Promise<string> {
  const hex = encodeHex(await sha256(lengthPrefixed(parts)))
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
