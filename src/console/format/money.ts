// Amounts as the reader's locale writes them. They stay text: a number would lose digits.

/** Positive where money goes out, as in the API. */
export type Decimal = string

const plain = /^(-?)(\d+)(?:\.(\d+))?$/

const isNumeral = (text: string): text is `${number}` => plain.test(text)

/** `-x`, exactly. */
export function negated(amount: Decimal): Decimal {
  if (/^-?0+(?:\.0+)?$/.test(amount)) return '0'
  return amount.startsWith('-') ? amount.slice(1) : `-${amount}`
}

export const isNegative = (amount: Decimal): boolean => amount.startsWith('-')

interface FormatOptions {
  readonly locale?: string | undefined
  /** `exceptZero` also marks money in. */
  readonly sign?: 'auto' | 'exceptZero'
}

function currencyFormat(currency: string, digits: number, { locale, sign = 'auto' }: FormatOptions): Intl.NumberFormat {
  const common = { style: 'currency', currency, signDisplay: sign } as const
  const usual = new Intl.NumberFormat(locale, common)
  const { minimumFractionDigits = 2 } = usual.resolvedOptions()
  return digits <= minimumFractionDigits
    ? usual
    : new Intl.NumberFormat(locale, { ...common, maximumFractionDigits: Math.min(digits, 100) })
}

/** All digits of the amount, and at least those that the currency usually has. */
export function formatMoney(amount: Decimal, currency: string | null, options: FormatOptions = {}): string {
  if (!isNumeral(amount)) return amount
  const digits = plain.exec(amount)?.[3]?.length ?? 0
  try {
    if (currency !== null) return currencyFormat(currency, digits, options).format(amount)
  } catch (error) {
    // An unofficial code, which is written behind the number.
    if (!(error instanceof RangeError)) throw error
  }
  return `${formatDecimal(amount, options)}${currency === null ? '' : ` ${currency}`}`
}

export interface MoneyText {
  /** With the digits that the currency usually has. */
  readonly usual: string
  /** The digits behind them, such as those of a fraction of a share. */
  readonly further: string
  /** What the locale writes behind the number. */
  readonly after: string
}

/** The amount in three parts, which together are `formatMoney`. */
export function moneyText(amount: Decimal, currency: string | null, options: FormatOptions = {}): MoneyText {
  const text = formatMoney(amount, currency, options)
  const fraction = plain.exec(amount)?.[3] ?? ''
  const extra = fraction.length - usualDigits(currency)
  const end = extra <= 0 ? -1 : text.search(/\p{Nd}(?!.*\p{Nd})/u) + 1
  return end <= 0
    ? { usual: text, further: '', after: '' }
    : { usual: text.slice(0, end - extra), further: text.slice(end - extra, end), after: text.slice(end) }
}

function usualDigits(currency: string | null): number {
  if (currency === null || !/^[A-Z]{3}$/.test(currency)) return 2
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().minimumFractionDigits ?? 2
}

/** A quantity, with all of its digits. */
export function formatDecimal(amount: Decimal, { locale, sign = 'auto' }: FormatOptions = {}): string {
  if (!isNumeral(amount)) return amount
  const digits = plain.exec(amount)?.[3]?.length ?? 0
  return new Intl.NumberFormat(locale, { signDisplay: sign, maximumFractionDigits: Math.min(digits, 100) }).format(
    amount,
  )
}

/** For the position of a point in a picture, and nothing else: it is not exact. */
export const approximately = (amount: Decimal): number => Number(amount)
