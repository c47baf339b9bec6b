// Exact decimals for tests that add up by themselves: whole numbers of 10^-40, and no code of the Worker's.

const places = 40

/** Decimal text as a whole number of the smallest part. */
export function partsOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  if (fraction.length > places) throw new RangeError(`${text} has too many places`)
  const parts = BigInt(whole + fraction.padEnd(places, '0'))
  return text.startsWith('-') ? -parts : parts
}

/** As text, without padding. */
export function textOf(parts: bigint): string {
  const digits = (parts < 0n ? -parts : parts).toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return `${parts < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction === '' ? '' : '.'}${fraction}`
}
