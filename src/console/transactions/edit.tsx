// What a person can say about a transaction: a note, a category of their own, and whether it counts.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Transaction } from '@wealthnavigator/client'
import type { FormEvent } from 'react'
import { useClient } from '../api/context.tsx'
import { formatDay } from '../format/dates.ts'
import { categoryWords } from '../format/words.ts'
import { CopyId } from '../ui/copy.tsx'
import { fieldTextOrNull } from '../ui/form.ts'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'

interface Edits {
  readonly note?: string | null
  readonly user_category?: string | null
  readonly hidden?: boolean
}

/** Only what differs: a field that is sent is the person's from then on, and no rule changes it. */
const changesOf = (row: Transaction, { note, user_category: category, hidden }: Required<Edits>): Edits => ({
  ...(note === row.note ? {} : { note }),
  ...(category === row.user_category ? {} : { user_category: category }),
  ...(hidden === row.hidden ? {} : { hidden }),
})

function Facts({ row }: { readonly row: Transaction }) {
  return (
    <dl className="facts">
      {row.merchant.name === null ? null : (
        <div>
          <dt>Text of the bank</dt>
          <dd>{row.name}</dd>
        </div>
      )}
      {row.authorized_date === null || row.authorized_date === row.date ? null : (
        <div>
          <dt>Authorized</dt>
          <dd>{formatDay(row.authorized_date)}</dd>
        </div>
      )}
      <div>
        <dt>Category of the bank</dt>
        <dd>{categoryWords(row.category.detailed ?? row.category.primary)}</dd>
      </div>
      {row.payment_channel === null ? null : (
        <div>
          <dt>Paid</dt>
          <dd>{row.payment_channel}</dd>
        </div>
      )}
    </dl>
  )
}

export function EditTransaction({ row }: { readonly row: Transaction }) {
  const client = useClient()
  const queries = useQueryClient()
  const edit = useMutation({
    mutationFn: (body: Edits) =>
      Object.keys(body).length === 0
        ? Promise.resolve(row)
        : client.patch('/api/v1/transactions/{id}', { params: { path: { id: row.id } }, body }),
    onSuccess: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'items' }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    edit.mutate(
      changesOf(row, {
        note: fieldTextOrNull(data, 'note'),
        user_category: fieldTextOrNull(data, 'user_category'),
        hidden: data.get('hidden') === 'on',
      }),
    )
  }
  return (
    <div className="editor">
      <Facts row={row} />
      <form onSubmit={submit} className="stack">
        <div className="columns">
          <label className="field">
            <span>Note</span>
            <input name="note" defaultValue={row.note ?? ''} maxLength={2000} />
          </label>
          <label className="field">
            <span>Your category</span>
            <input name="user_category" defaultValue={row.user_category ?? ''} maxLength={100} />
          </label>
        </div>
        <label className="check">
          <input type="checkbox" name="hidden" defaultChecked={row.hidden} /> Leave it out of sums
        </label>
        <div className="actions">
          <WriteButton type="submit" className="button" disabled={edit.isPending}>
            {edit.isPending ? 'Saving…' : 'Save'}
          </WriteButton>
          <span role="status" className="muted">
            {edit.isSuccess ? 'Saved' : ''}
          </span>
        </div>
        {edit.error === null ? null : <Failed error={edit.error} />}
      </form>
      <p className="ids">
        <CopyId label="Transaction" value={row.id} />
        <CopyId label="Plaid transaction" value={row.plaid_transaction_id} />
      </p>
    </div>
  )
}
