// The files of Project Wycheproof that the tests use.
declare module 'vitest' {
  export interface ProvidedContext {
    /** Name → the text of `<name>_test.json`. */
    wycheproof: Readonly<Record<string, string>>
    /** `navigator.userAgent` where the tests run. */
    runtime: string
  }
}

export const wycheproofFiles = [
  'aes_gcm',
  'ecdsa_secp256r1_sha256_p1363',
  'hkdf_sha256',
  'hmac_sha256',
  'pbkdf2_hmacsha256',
] as const
export type WycheproofFile = (typeof wycheproofFiles)[number]
