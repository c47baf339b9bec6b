// The formats of stored secrets and signatures, written a second time with node:crypto, without the product's code.
import { createCipheriv, createHash, createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto'

export type Field = string | Uint8Array

const label = 'wealthnavigator-edge'
const hkdf = (secret: Uint8Array, salt: Uint8Array, info: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, length))

export const sha256 = (bytes: Field): Buffer => createHash('sha256').update(bytes).digest()

/** Each field behind its length in four bytes, big-endian. */
export const lengthPrefixed = (fields: readonly Field[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )

/** HMAC-SHA-256 over length-prefixed fields, under a key that HKDF-SHA-256 derives for one purpose. */
export const mac = (secret: string, purpose: string, fields: readonly Field[]): Buffer =>
  createHmac('sha256', hkdf(Buffer.from(secret), Buffer.alloc(0), `${label}/${purpose}`, 32))
    .update(lengthPrefixed(fields))
    .digest()

export interface Place {
  readonly table: string
  readonly column: string
  readonly userId: string
  readonly itemId: string
}

/** `wn1` and `wn2`: AES-256-GCM with a key and a commitment that PBKDF2 and HKDF derive. Salt and nonce are fixed bytes. */
export function seal(
  key: { id: string; secret: string },
  plaintext: string,
  place: Place,
  fill: number,
  version: 'wn1' | 'wn2' = 'wn1',
): string {
  const [salt, nonce] = [Buffer.alloc(32, fill), Buffer.alloc(12, fill)]
  const master = pbkdf2Sync(key.secret, `${label}/master-key/${key.id}`, 100_000, 32, 'sha256')
  const derived = hkdf(master, salt, `${label}/${version}/record-key`, 64)
  const cipher = createCipheriv('aes-256-gcm', derived.subarray(0, 32), nonce)
  const { table, column, userId, itemId } = place
  cipher.setAAD(lengthPrefixed([`${label}/${version}/binding`, version, key.id, table, column, userId, itemId]))
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const parts = [salt, nonce, derived.subarray(32), ciphertext].map((part) => part.toString('base64url'))
  return [version, key.id, ...parts].join('.')
}
