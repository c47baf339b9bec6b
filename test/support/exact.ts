// Exact decimals for tests that compute sums: integers in units of 10^-40, without code of the Worker.

const places = 40

/** Decimal text as an integer in units of 10^-40. */
export function partsOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  if (fraction.length > places) throw new RangeError(`${text} has too many places`)
  const parts = BigInt(whole + fraction.padEnd(places, '0'))
  return text.startsWith('-') ? -parts : parts
}

/** The decimal text of such an integer, without trailing zeros. */
export function textOf(parts: bigint): string {
  const digits = (parts < 0n ? -parts : parts).toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return `${parts < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction === '' ? '' : '.'}${fraction}`
}
