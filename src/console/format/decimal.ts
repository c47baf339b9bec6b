// Arithmetic with exact decimals: text in, text out, with integers in between.
import type { Decimal } from './money.ts'

interface Scaled {
  /** The amount times ten to the power of `scale`. */
  readonly units: bigint
  readonly scale: number
}

function parse(amount: Decimal): Scaled {
  const [whole = '', fraction = ''] = amount.split('.')
  return { units: BigInt(whole + fraction), scale: fraction.length }
}

const unitsAt = ({ units, scale }: Scaled, wanted: number): bigint => units * 10n ** BigInt(wanted - scale)

function text(units: bigint, scale: number): Decimal {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export function sumOf(amounts: readonly Decimal[]): Decimal {
  const parsed = amounts.map(parse)
  const scale = Math.max(0, ...parsed.map((each) => each.scale))
  return text(
    parsed.reduce((sum, each) => sum + unitsAt(each, scale), 0n),
    scale,
  )
}

/** `a - b`. */
export function difference(a: Decimal, b: Decimal): Decimal {
  return sumOf([a, b.startsWith('-') ? b.slice(1) : `-${b}`])
}

/** For sorting: negative where `a` is less than `b`. */
export function compare(a: Decimal, b: Decimal): number {
  const [left, right] = [parse(a), parse(b)]
  const scale = Math.max(left.scale, right.scale)
  const [first, second] = [unitsAt(left, scale), unitsAt(right, scale)]
  return first < second ? -1 : first > second ? 1 : 0
}

export const isZero = (amount: Decimal): boolean => /^-?0+(?:\.0+)?$/.test(amount)
