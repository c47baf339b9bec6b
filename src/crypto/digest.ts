// SHA-256 (FIPS 180-4).
import type { Bytes } from './encoding.ts'

export const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
