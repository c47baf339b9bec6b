// What was spent in some days, by category: one table for each currency.
import type { Spending } from '@wealthnavigator/client'
import { compare, isZero, sumOf } from '../format/decimal.ts'
import { approximately, negated } from '../format/money.ts'
import { categoryWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Flow, Money } from '../ui/money.tsx'
import { Share } from '../ui/share.tsx'

interface Days {
  readonly from: string
  readonly to: string
}

function Name({ category, from, to }: Days & { readonly category: string | null }) {
  const words = categoryWords(category)
  return category === null ? (
    words
  ) : (
    <Link to={`/transactions?${new URLSearchParams({ category, from, to }).toString()}`}>{words}</Link>
  )
}

interface TableProps extends Days {
  readonly currency: string | null
  readonly rows: readonly Spending[]
}

function Table({ currency, rows, ...days }: TableProps) {
  const inOrder = rows.toSorted((a, b) => compare(b.total, a.total))
  const highest = approximately(inOrder[0]?.total ?? '0')
  return (
    <table className="rows">
      <caption className="visually-hidden">Spending by category{currency === null ? '' : ` in ${currency}`}</caption>
      <thead>
        <tr>
          <th scope="col">Category</th>
          <th scope="col" className="number wide-only">
            Transactions
          </th>
          <th scope="col" className="number">
            Spent
          </th>
        </tr>
      </thead>
      <tbody>
        {inOrder.map(({ category, total, returned, count }) => (
          <tr key={category}>
            <th scope="row">
              <Name category={category} {...days} />
              <Share part={approximately(total)} whole={highest} />
              {isZero(returned) ? null : (
                <span className="sub">
                  and <Flow amount={negated(returned)} currency={currency} /> came back
                </span>
              )}
            </th>
            <td className="number wide-only">{count}</td>
            <td className="number strong">
              <Money amount={total} currency={currency} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Total</th>
          <td className="number wide-only">{rows.reduce((sum, { count }) => sum + count, 0)}</td>
          <td className="number strong">
            <Money amount={sumOf(rows.map(({ total }) => total))} currency={currency} />
          </td>
        </tr>
      </tfoot>
    </table>
  )
}

export function Categories({ rows, ...days }: Days & { readonly rows: readonly Spending[] }) {
  if (rows.length === 0) return <p className="muted">Nothing was spent in this time.</p>
  return [...Map.groupBy(rows, ({ currency }) => currency)].map(([currency, ofCurrency]) => (
    <Table key={currency} currency={currency} rows={ofCurrency} {...days} />
  ))
}
