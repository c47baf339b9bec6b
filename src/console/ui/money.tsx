// An amount on the page, in figures of one width.
import { type Decimal, isNegative, type MoneyText, moneyText, negated } from '../format/money.ts'

export function Money({ amount, currency }: { readonly amount: Decimal | null; readonly currency: string | null }) {
  if (amount === null) return <span className="muted">not reported</span>
  return (
    <data value={amount}>
      <Digits {...moneyText(amount, currency)} />
    </data>
  )
}

/** Every digit, with the usual ones in front: a fraction of a share may have twenty more. */
function Digits({ usual, further, after }: MoneyText) {
  return (
    <>
      {usual}
      {further === '' ? null : <span className="further">{further}</span>}
      {after}
    </>
  )
}

/** The amount of a transaction as the person sees it: money in is positive. */
export function Flow({ amount, currency }: { readonly amount: Decimal; readonly currency: string | null }) {
  const seen = negated(amount)
  return (
    <data value={amount} className={seen === '0' || isNegative(seen) ? 'flow' : 'flow in'}>
      <Digits {...moneyText(seen, currency, { sign: 'exceptZero' })} />
    </data>
  )
}
