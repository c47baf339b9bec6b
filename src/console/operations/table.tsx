// A table of counts that scrolls by itself where the page is narrow.
import type { ReactNode } from 'react'

interface Column {
  readonly title: string
  readonly isNumber?: boolean
}

interface TableProps {
  /** Whether a long table scrolls in a part of the page. */
  readonly isLong?: boolean
  readonly caption: string
  readonly columns: readonly Column[]
  /** The cells of each row; the first one names it. */
  readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[]
}

export function CountTable({ caption, columns, rows, isLong = false }: TableProps) {
  const classOf = (index: number): string | undefined => (columns[index]?.isNumber === true ? 'number' : undefined)
  return (
    <div className={isLong ? 'scroll' : 'scroll whole'} tabIndex={0} role="region" aria-label={caption}>
      <table className="compact">
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title }, index) => (
              <th key={title} scope="col" className={classOf(index)}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells: [name, ...values] }) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              {values.map((value, index) => (
                <td key={columns[index + 1]?.title} className={classOf(index + 1)}>
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
