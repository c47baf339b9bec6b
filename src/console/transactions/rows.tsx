// Transactions by day. A row opens to its note, category and whether it counts.
import type { Account, Transaction } from '@wealthnavigator/client'
import { categoryWords } from '../format/words.ts'
import { Days } from '../ui/ledger.tsx'
import { Flow } from '../ui/money.tsx'
import { EditTransaction } from './edit.tsx'

interface RowsProps {
  readonly rows: readonly Transaction[]
  readonly accounts: readonly Account[]
}

function Row({ row, account }: { readonly row: Transaction; readonly account: Account | undefined }) {
  const title = row.merchant.name ?? row.name
  return (
    <li className={row.hidden ? 'transaction is-hidden' : 'transaction'}>
      <details name="transaction">
        <summary>
          <span className="what">
            <span className="name">{title}</span>
            {row.pending ? <span className="tag">Pending</span> : null}
            {row.hidden ? <span className="tag">Not counted</span> : null}
            <span className="sub">
              {categoryWords(row.user_category ?? row.category.primary)}
              {account === undefined ? null : ` · ${account.name}`}
              {row.note === null ? null : ` · ${row.note}`}
            </span>
          </span>
          <Flow amount={row.amount} currency={row.currency} />
        </summary>
        <EditTransaction row={row} />
      </details>
    </li>
  )
}

export function TransactionRows({ rows, accounts }: RowsProps) {
  const byId = new Map(accounts.map((account) => [account.id, account]))
  return (
    <Days rows={rows} dayOf={({ date }) => date}>
      {(row) => <Row key={row.id} row={row} account={byId.get(row.account_id)} />}
    </Days>
  )
}
