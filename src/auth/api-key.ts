// The text of an API key: `wn_live_` or `wn_test_`, 43 random characters, and six characters of a checksum. Scanners
// recognize a leaked key without asking anyone.
import { crc32 } from '../crypto/crc32.ts'
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, utf8 } from '../crypto/encoding.ts'

/** `live` where Plaid's environment is production, else `test`. */
export type KeyKind = 'live' | 'test'

/** Base62 in the order of ASCII. */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 62^43 is more than 2^256. */
const randomLength = 43
/** 62^6 is more than 2^32. */
const checksumLength = 6
/** The characters that are shown later; 208 random bits stay secret. */
const shownLength = 'wn_live_'.length + 8

const pattern = new RegExp(String.raw`^wn_(live|test)_([0-9A-Za-z]{${randomLength}})([0-9A-Za-z]{${checksumLength}})$`)
/** A key anywhere in a text, also with a damaged end. */
export const keyInText = /wn_(?:live|test)_[0-9A-Za-z]{32}/

/** Whether a bearer token is meant as an API key. */
export const isApiKey = (token: string): boolean => token.startsWith('wn_')

function checksumOf(random: string): string {
  let value = crc32(utf8(random))
  let text = ''
  for (let place = 0; place < checksumLength; place += 1) {
    text = (alphabet[value % alphabet.length] ?? '') + text
    value = Math.floor(value / alphabet.length)
  }
  return text
}

/** Uniform characters: bytes beyond the last whole multiple of 62 are dropped. */
function randomText(): string {
  const largest = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < randomLength)
    for (const byte of crypto.getRandomValues(new Uint8Array(64)))
      if (byte < largest && text.length < randomLength) text += alphabet[byte % alphabet.length] ?? ''
  return text
}

export interface NewKey {
  /** The whole key, which is shown once. */
  readonly text: string
  readonly prefix: string
  readonly digest: Bytes
}

/** The stored form of a key. A fast hash suffices: no one can guess 256 random bits. */
export const digestOfKey = async (text: string): Promise<Bytes> => await sha256(utf8(text))

export async function createKey(kind: KeyKind): Promise<NewKey> {
  const random = randomText()
  const text = `wn_${kind}_${random}${checksumOf(random)}`
  return { text, prefix: text.slice(0, shownLength), digest: await digestOfKey(text) }
}

/** The kind of a well-formed key; null for any other text. */
export function kindOfKey(text: string): KeyKind | null {
  const [, kind, random, checksum] = pattern.exec(text) ?? []
  if (random === undefined || checksum !== checksumOf(random)) return null
  return kind === 'live' ? 'live' : 'test'
}
