// What the person allows. Each switch is stored at once, as a new version of all decisions.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Consents } from '@wealthnavigator/client'
import { useState } from 'react'
import { useClient } from '../api/context.tsx'
import { consentsQuery } from '../api/own-data.ts'
import { formatMoment } from '../format/dates.ts'
import { Card } from '../ui/page.tsx'
import { useWrite } from '../ui/read-only.tsx'
import { Await, Failed } from '../ui/states.tsx'

type Purposes = Consents['purposes']
type Purpose = keyof Purposes

const words: readonly { readonly purpose: Purpose; readonly title: string; readonly off: string }[] = [
  {
    purpose: 'linking_and_sync',
    title: 'Connect banks and keep their data up to date',
    off: 'Off: nothing new arrives from your banks, and no bank can be connected or repaired.',
  },
  {
    purpose: 'insights',
    title: 'Add up my accounts and transactions',
    off: 'Off: net worth, spending and cash flow are not computed.',
  },
  {
    purpose: 'diagnostics',
    title: 'Report errors of my requests to the operator',
    off: 'Off: errors that you run into are not reported, and may stay unnoticed.',
  },
  {
    purpose: 'product_emails',
    title: 'Send me e-mails about the product',
    off: 'Off: only e-mails about the security of your account are sent.',
  },
]

const titles = new Map(words.map(({ purpose, title }) => [purpose, title]))

function Switches({ consents }: { readonly consents: Consents }) {
  const client = useClient()
  const queries = useQueryClient()
  /** What is being saved, which the switches show until the answer is here. */
  const [wanted, setWanted] = useState<Purposes | null>(null)
  const shown = wanted ?? consents.purposes
  const { isReadOnly } = useWrite()
  const save = useMutation({
    mutationFn: (purposes: Purposes) =>
      client.put('/api/v1/privacy/consents', { body: { version: consents.version, purposes } }),
    onSuccess: (stored) => {
      queries.setQueryData(consentsQuery(client).queryKey, stored)
      return queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'consents' })
    },
    // Another tab may have decided: then the switches show that decision.
    onError: () => queries.invalidateQueries({ queryKey: ['consents'] }),
    onSettled: () => setWanted(null),
  })
  const change = (purposes: Purposes): void => {
    setWanted(purposes)
    save.mutate(purposes)
  }
  return (
    <>
      <ul className="switches">
        {words.map(({ purpose, title, off }) => (
          <li key={purpose}>
            <label className="check">
              <input
                type="checkbox"
                checked={shown[purpose]}
                disabled={save.isPending || isReadOnly}
                aria-describedby={`off-${purpose}`}
                onChange={(event) => change({ ...shown, [purpose]: event.currentTarget.checked })}
              />
              {title}
            </label>
            <p className="muted" id={`off-${purpose}`}>
              {off}
            </p>
          </li>
        ))}
      </ul>
      <p role="status" className="muted">
        {save.isPending ? 'Saving…' : save.isSuccess ? 'Saved. It holds from now on.' : ''}
      </p>
      {save.error === null ? null : <Failed error={save.error} />}
    </>
  )
}

/** What a decision allowed, in one line. */
const allowedIn = (purposes: Purposes): string => {
  const allowed = words.flatMap(({ purpose }) => (purposes[purpose] ? [titles.get(purpose) ?? purpose] : []))
  return allowed.length === 0 ? 'Nothing' : allowed.join('; ')
}

function History({ history }: Pick<Consents, 'history'>) {
  if (history.length === 0) return <p className="muted">You have not decided yet: these are the defaults.</p>
  return (
    <details>
      <summary>Earlier decisions ({history.length})</summary>
      <table className="compact">
        <thead>
          <tr>
            <th scope="col">Decided</th>
            <th scope="col">Allowed</th>
          </tr>
        </thead>
        <tbody>
          {history.map(({ version, purposes, decided_at: at }) => (
            <tr key={version}>
              <th scope="row">{formatMoment(at)}</th>
              <td>{allowedIn(purposes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

export function ConsentsCard() {
  const query = useQuery(consentsQuery(useClient()))
  return (
    <Card title="What you allow">
      <Await query={query} label="Loading your choices">
        {(consents) => (
          <>
            <Switches consents={consents} />
            <History history={consents.history} />
          </>
        )}
      </Await>
    </Card>
  )
}
