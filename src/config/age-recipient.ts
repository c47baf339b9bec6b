// Whether a text is an age public key: Bech32 (BIP 173, without its limit of length) with a prefix of age. The checksum
// finds a mistyped key when the Worker starts, not when the first backup fails.

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
/** X25519 keys, and keys that are also safe against quantum computers. */
const prefixes = ['age', 'age1pq']
const checksumLength = 6
/** Of an X25519 key: 32 bytes in characters of five bits. */
const leastDataLength = 52

function polymod(values: readonly number[]): number {
  let checksum = 1
  for (const value of values) {
    const top = checksum >>> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    generators.forEach((generator, bit) => {
      if (((top >>> bit) & 1) === 1) checksum ^= generator
    })
  }
  return checksum
}

const expanded = (prefix: string): number[] => {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0))
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
}

export function isAgeRecipient(text: string): boolean {
  const separator = text.lastIndexOf('1')
  const prefix = text.slice(0, Math.max(separator, 0))
  const data = Array.from(text.slice(separator + 1), (character) => alphabet.indexOf(character))
  if (!prefixes.includes(prefix) || data.length < leastDataLength + checksumLength || data.includes(-1)) return false
  return polymod([...expanded(prefix), ...data]) === 1
}
