// scrypt (RFC 7914) in the platform's native code. One of two files of the Worker that import a node:* module
// (src/backup/sha256.ts is the other); it is loaded with the first password.
import { type Bytes } from '../crypto/encoding.ts'

/** The cost: N = 2 ** logN; memory is 128 · N · r bytes, work grows with p. */
export interface ScryptCost {
  readonly logN: number
  readonly r: number
  readonly p: number
}

/** Derives `length` bytes. Blocks the isolate meanwhile; see scrypt-turns.ts. */
export type Scrypt = (password: Bytes, salt: Bytes, cost: ScryptCost, length: number) => Promise<Bytes>

export const scrypt: Scrypt = async (password, salt, { logN, r, p }, length) => {
  // oxlint-disable-next-line no-restricted-imports -- Web Crypto has no scrypt
  const crypto = await import('node:crypto')
  const N = 2 ** logN
  // Slightly more than the algorithm needs; the default would refuse this cost.
  const options = { N, r, p, maxmem: 128 * r * (N + p + 16) }
  return await new Promise((resolve, reject) => {
    crypto.scrypt(password, salt, length, options, (error, key) => {
      if (error === null) resolve(new Uint8Array(key))
      else reject(error)
    })
  })
}
