// An amount on the page, in figures of one width.
import { type Decimal, formatMoney, isNegative, negated } from '../format/money.ts'

export function Money({ amount, currency }: { readonly amount: Decimal | null; readonly currency: string | null }) {
  if (amount === null) return <span className="muted">not reported</span>
  return <data value={amount}>{formatMoney(amount, currency)}</data>
}

/** The amount of a transaction as the person sees it: money in is positive. */
export function Flow({ amount, currency }: { readonly amount: Decimal; readonly currency: string | null }) {
  const seen = negated(amount)
  return (
    <data value={amount} className={seen === '0' || isNegative(seen) ? 'flow' : 'flow in'}>
      {formatMoney(seen, currency, { sign: 'exceptZero' })}
    </data>
  )
}
