// The page of an application: its user connects banks and sees their accounts.
import { type Account, createClient, type Item } from '@wealthnavigator/client'
import { useConnectBank } from '@wealthnavigator/react'
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

interface Config {
  readonly api: string
}

const config = (await (await fetch('/config.json')).json()) as Config
const client = createClient({
  baseUrl: config.api,
  // The server of the application has the API key, and gives its signed-in user a token for some minutes.
  getToken: async () => {
    const { access_token: token, expires_in: expiresIn } = (await (
      await fetch('/token', { method: 'POST' })
    ).json()) as {
      access_token: string
      expires_in: number
    }
    return { token, expiresIn }
  },
})

const words: Record<string, string> = {
  creating: 'One moment…',
  linking: 'Continue in the window of your bank.',
  exchanging: 'Connecting your bank…',
  repairing: 'Checking your login…',
  waiting: 'Reading your accounts…',
  healthy: 'Connected.',
  attention: 'Connected, and your bank needs something else from you.',
  cancelled: 'You left before your bank was connected.',
}

function Bank({
  item,
  accounts,
  onRepair,
  onAdd,
  busy,
}: {
  readonly item: Item
  readonly accounts: readonly Account[]
  readonly onRepair: (id: string) => void
  readonly onAdd: (id: string) => void
  readonly busy: boolean
}) {
  const { id, institution, action_required: action } = item
  return (
    <section className="bank" aria-label={institution.name ?? 'Bank'}>
      <div className="row">
        <h2>{institution.name ?? 'Bank'}</h2>
        <span className="quiet">{item.status.replaceAll('_', ' ')}</span>
        {(action === 'update' || action === 'give_consent') && (
          <button disabled={busy} onClick={() => onRepair(id)}>
            Sign in again
          </button>
        )}
        {action === 'add_accounts' && (
          <button disabled={busy} onClick={() => onAdd(id)}>
            Add accounts
          </button>
        )}
      </div>
      <table>
        <tbody>
          {accounts.map(({ id: key, name, mask, balances }) => (
            <tr key={key}>
              <td>
                {name} <span className="quiet">{mask === null ? '' : `··${mask}`}</span>
              </td>
              {/* A decimal is text, and is shown as text. */}
              <td>
                {balances.current ?? '–'} {balances.currency}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Page() {
  const [items, setItems] = useState<readonly Item[]>([])
  const [accounts, setAccounts] = useState<readonly Account[]>([])
  const [trouble, setTrouble] = useState<string | null>(null)
  const bank = useConnectBank({ client })
  const { state, busy, error } = bank

  useEffect(() => {
    const leaving = new AbortController()
    const read = async () => {
      const signal = leaving.signal
      setItems((await client.get('/api/v1/plaid/items', { signal })).data)
      setAccounts((await client.get('/api/v1/accounts', { signal })).data)
    }
    read().catch((reason: unknown) => {
      if (!leaving.signal.aborted) setTrouble(reason instanceof Error ? reason.message : 'Something went wrong.')
    })
    return () => leaving.abort()
  }, [state.name])

  return (
    <>
      <h1>Your banks</h1>
      <div className="row">
        <button className="main" disabled={busy} onClick={bank.connect}>
          Connect a bank
        </button>
        {busy && state.name !== 'exchanging' && <button onClick={bank.cancel}>Cancel</button>}
        {(state.name === 'failed' || state.name === 'cancelled') && <button onClick={bank.retry}>Try again</button>}
        <span role="status" className={error === null ? 'quiet' : 'error'}>
          {error?.message ?? words[state.name] ?? ''}
        </span>
      </div>
      {trouble !== null && <p className="error">{trouble}</p>}
      {items.length === 0 && <p className="quiet">No bank is connected yet.</p>}
      {items.map((item) => (
        <Bank
          key={item.id}
          item={item}
          accounts={accounts.filter(({ item_id: id }) => id === item.id)}
          onRepair={bank.repair}
          onAdd={bank.addAccounts}
          busy={busy}
        />
      ))}
    </>
  )
}

const root = document.getElementById('page')
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  )
