// One account: its balances over time, and how it is shown and counted.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Account } from '@wealthnavigator/client'
import { type FormEvent, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { accountsQuery, balancesQuery } from '../api/queries.ts'
import { formatMoment } from '../format/dates.ts'
import { subtypeWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Chart } from '../ui/chart.tsx'
import { CopyId } from '../ui/copy.tsx'
import { fieldTextOrNull } from '../ui/form.ts'
import { Money } from '../ui/money.tsx'
import { Card, Page } from '../ui/page.tsx'
import { useWrite, WriteButton } from '../ui/read-only.tsx'
import { Await, Failed } from '../ui/states.tsx'

function Balances({ account }: { readonly account: Account }) {
  const { balances } = account
  const query = useQuery(balancesQuery(useClient(), account.id))
  return (
    <Card title="Balance">
      <p className="hero">
        <Money amount={balances.current ?? balances.available} currency={balances.currency} />
      </p>
      <dl className="pair">
        <div>
          <dt>Available</dt>
          <dd>
            <Money amount={balances.available} currency={balances.currency} />
          </dd>
        </div>
        {balances.limit === null ? null : (
          <div>
            <dt>Limit</dt>
            <dd>
              <Money amount={balances.limit} currency={balances.currency} />
            </dd>
          </div>
        )}
      </dl>
      <Await query={query} label="Loading the balances">
        {({ data }) => {
          const points = data.flatMap(({ date, current, available, estimated }) => {
            const value = current ?? available
            return value === null ? [] : [{ date, value, estimated }]
          })
          const inOrder = points.toSorted((a, b) => a.date.localeCompare(b.date))
          return inOrder.length > 1 ? (
            <Chart title={`Balance of ${account.name}`} points={inOrder} currency={balances.currency} />
          ) : null
        }}
      </Await>
      {balances.as_of === null ? null : <p className="muted">As of {formatMoment(balances.as_of)}.</p>}
    </Card>
  )
}

interface SwitchProps {
  readonly on: boolean
  readonly save: (on: boolean) => Promise<unknown>
  readonly label: string
}

/** Shows what is being saved until it is stored, and what is stored after a failure. */
function Switch({ on, save, label }: SwitchProps) {
  const [wanted, setWanted] = useState<boolean | null>(null)
  const { isReadOnly, describedBy } = useWrite()
  const change = async (next: boolean): Promise<void> => {
    setWanted(next)
    // The form shows why it failed.
    await save(next).catch(() => undefined)
    setWanted(null)
  }
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={wanted ?? on}
        disabled={wanted !== null || isReadOnly}
        aria-describedby={describedBy}
        onChange={(event) => void change(event.currentTarget.checked)}
      />
      {label}
    </label>
  )
}

function Settings({ account }: { readonly account: Account }) {
  const client = useClient()
  const queries = useQueryClient()
  const edit = useMutation({
    mutationFn: (body: { name?: string | null; hidden?: boolean; in_insights?: boolean }) =>
      client.patch('/api/v1/accounts/{id}', { params: { path: { id: account.id } }, body }),
    onSuccess: () => queries.invalidateQueries(),
  })
  const rename = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    edit.mutate({ name: fieldTextOrNull(new FormData(event.currentTarget), 'name') })
  }
  return (
    <Card title="How it is shown">
      <form onSubmit={rename} className="inline-form">
        <label className="field">
          <span>Name</span>
          <input name="name" defaultValue={account.name} placeholder={account.bank_name} maxLength={100} />
        </label>
        <WriteButton type="submit" className="button" disabled={edit.isPending}>
          Save
        </WriteButton>
      </form>
      <Switch
        on={account.hidden}
        save={(hidden) => edit.mutateAsync({ hidden })}
        label="Hide this account and its transactions from lists"
      />
      <Switch
        on={account.in_insights}
        save={(counted) => edit.mutateAsync({ in_insights: counted })}
        label="Count it in net worth, cash flow and spending"
      />
      <p role="status" className="muted">
        {edit.isSuccess ? 'Saved' : ''}
      </p>
      {edit.error === null ? null : <Failed error={edit.error} />}
      <p className="ids">
        <CopyId label="Account" value={account.id} />
        <CopyId label="Plaid account" value={account.plaid_account_id} />
      </p>
    </Card>
  )
}

export default function AccountPage({ id }: { readonly id?: string }) {
  const query = useQuery(accountsQuery(useClient()))
  const account = query.data?.find((each) => each.id === id)
  return (
    <Page
      title={account?.name ?? 'Account'}
      lead={
        account === undefined
          ? undefined
          : [subtypeWords(account.type, account.subtype), account.mask === null ? '' : `··${account.mask}`].join(' ')
      }
      actions={
        account === undefined ? undefined : (
          <Link to={`/transactions?account_id=${account.id}`} className="button">
            See its transactions
          </Link>
        )
      }
    >
      <Await query={query} label="Loading the account">
        {() =>
          account === undefined ? (
            <p>
              There is no such account. <Link to="/accounts">See your accounts</Link>
            </p>
          ) : (
            <>
              <Balances account={account} />
              <Settings key={account.id} account={account} />
            </>
          )
        }
      </Await>
    </Page>
  )
}
