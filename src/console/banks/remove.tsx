// Removes a bank, after saying what that means.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Item } from '@wealthnavigator/client'
import { useState } from 'react'
import { useClient } from '../api/context.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'

export function RemoveBank({ item }: { readonly item: Item }) {
  const client = useClient()
  const queries = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const removal = useMutation({
    mutationFn: () => client.delete('/api/v1/plaid/items/{id}', { params: { path: { id: item.id } } }),
    onSuccess: async () => {
      setOpen(false)
      await queries.invalidateQueries()
    },
  })
  const name = item.institution.name ?? 'the bank'
  const open = (): void => {
    removal.reset()
    setOpen(true)
  }
  return (
    <>
      <WriteButton className="button small quiet" onClick={open}>
        Remove…
      </WriteButton>
      {isOpen ? (
        <Confirm
          title={`Remove ${name}?`}
          confirmLabel={`Remove ${name}`}
          busy={removal.isPending}
          onConfirm={() => removal.mutate()}
          onClose={() => setOpen(false)}
        >
          <p>
            The connection ends at once, and its accounts and transactions disappear from every page. They are deleted
            for good after the deployment’s waiting time; until then, connecting the same bank again brings them back.
          </p>
          {removal.error === null ? null : <Failed error={removal.error} />}
        </Confirm>
      ) : null}
    </>
  )
}
