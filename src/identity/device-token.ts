// Known-device tokens (OWASP, "Slow down online guessing attacks with device cookies"): a device that has signed in has
// a separate limit, so that a flood of wrong passwords from other devices never refuses it. A token is not a
// credential: it only decides where attempts count. It contains a random id, its time of issue and an HMAC over both
// and the e-mail address, which binds it to the account. It expires; "sign out everywhere" and the end of its SECRET_KEY
// revoke it. A new password does not: the owner who changes it during an attack must still be able to sign in, and a stolen
// token allows ten guesses in a quarter of an hour.
import { equalConstantTime } from '../crypto/constant-time.ts'
import { type Bytes, concat, decodeBase64Url, encodeBase64Url, encodeHex } from '../crypto/encoding.ts'
import { authenticate } from '../crypto/derived-key.ts'
import { deviceTokenSeconds } from './policy.ts'

const idBytes = 16
const timeBytes = 6
const macBytes = 32

export interface Device {
  readonly id: string
  readonly issuedAt: Date
}

const macOf = (secret: Uint8Array, email: string, signed: Bytes): Promise<Bytes> =>
  authenticate(secret, 'device-token', [email, signed])

/** A token for a device that has signed in to the account of this address. */
export async function issueDeviceToken(
  secret: Uint8Array,
  email: string,
  now: Date,
): Promise<{ deviceToken: string; deviceExpiresInSeconds: number }> {
  const issuedAt = new Uint8Array(8)
  new DataView(issuedAt.buffer).setBigUint64(0, BigInt(now.getTime()))
  const signed = concat(crypto.getRandomValues(new Uint8Array(idBytes)), issuedAt.slice(8 - timeBytes))
  const deviceToken = encodeBase64Url(concat(signed, await macOf(secret, email, signed)))
  return { deviceToken, deviceExpiresInSeconds: deviceTokenSeconds }
}

interface Secrets {
  readonly secret: Uint8Array
  readonly previousSecret: Uint8Array | null
}

/** Whether the current or the previous key made the MAC. */
async function isOwn({ secret, previousSecret }: Secrets, mac: Bytes, email: string, signed: Bytes): Promise<boolean> {
  if (equalConstantTime(mac, await macOf(secret, email, signed))) return true
  return previousSecret !== null && equalConstantTime(mac, await macOf(previousSecret, email, signed))
}

/** The device of a token; null if the token is malformed, forged, expired, or another account's. */
export async function readDeviceToken(
  secrets: Secrets,
  email: string,
  text: string,
  now: Date,
): Promise<Device | null> {
  const bytes = decodeBase64Url(text)
  if (bytes?.length !== idBytes + timeBytes + macBytes) return null
  const signed = bytes.slice(0, idBytes + timeBytes)
  if (!(await isOwn(secrets, bytes.slice(idBytes + timeBytes), email, signed))) return null
  const issuedAt = Number.parseInt(encodeHex(signed.slice(idBytes)), 16)
  const isExpired = issuedAt + deviceTokenSeconds * 1000 <= now.getTime()
  return isExpired ? null : { id: encodeHex(signed.slice(0, idBytes)), issuedAt: new Date(issuedAt) }
}
