// Where Link's page returns: says what happens with the bank, and what comes next.
import type { ConnectBank } from '@wealthnavigator/react'
import { ConnectButton } from '../connect/button.tsx'
import { ReturnedElsewhere } from '../connect/elsewhere.tsx'
import { useConnect } from '../connect/provider.tsx'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Page } from '../ui/page.tsx'

const nameOf = (bank: ConnectBank): string => bank.item?.institution.name ?? 'Your bank'

function Steps({ bank }: { readonly bank: ConnectBank }) {
  const { state } = bank
  const isRepair = 'purpose' in state && state.purpose.kind !== 'link'
  const isSaved = state.name === 'waiting' && state.itemId !== null && !isRepair
  return (
    <div className="card">
      <ol className="steps">
        <li className="done">{isRepair ? 'You signed in at the bank' : 'You shared your accounts'}</li>
        <li className={isSaved ? 'done' : 'current'}>
          {isRepair ? 'Checking the connection' : 'Saving the connection'}
        </li>
        {isRepair ? null : <li className={isSaved ? 'current' : ''}>Getting the first data</li>}
      </ol>
      <p className="muted" role="status">
        This takes up to a minute. You may leave this page; the work continues.
      </p>
      {state.name === 'waiting' ? (
        <div className="actions">
          <button type="button" className="button" onClick={() => bank.cancel()}>
            Stop waiting
          </button>
        </div>
      ) : null}
    </div>
  )
}

/** What is said after a cancellation: the title, and what it means. */
function ending({ state }: ConnectBank): readonly [title: string, lead: string] {
  if (state.name === 'failed') return ['The connection did not end', 'Try again, or see the state of your banks.']
  if ('itemId' in state && state.itemId !== null)
    return ['You stopped waiting', 'The work continues. Your banks show how it ended.']
  return ['No bank was connected', 'You left before the end, or the bank shared nothing. Nothing was changed.']
}

export default function ConnectReturn() {
  const bank = useConnect()
  const { state, item } = bank
  if (bank.busy)
    return (
      <Page title="Connecting your bank">
        <Steps bank={bank} />
      </Page>
    )
  if (item !== null) {
    const words = itemWords(item)
    return (
      // A new page, so that its heading is read out.
      <Page
        key={state.name}
        title={state.name === 'healthy' ? `${nameOf(bank)} is connected` : `${nameOf(bank)} needs one more step`}
        lead={state.name === 'healthy' ? 'Your accounts are here and stay up to date.' : words.detail}
      >
        <div className="actions">
          {words.action === null ? null : (
            <ConnectButton kind={words.action.kind} itemId={item.id} label={words.action.label} />
          )}
          <Link to="/accounts" className={words.action === null ? 'button primary' : 'button'}>
            See your accounts
          </Link>
          <Link to="/" className="button">
            Go to the overview
          </Link>
        </div>
      </Page>
    )
  }
  if (state.name === 'idle') return <ReturnedElsewhere />
  const [title, lead] = ending(bank)
  return (
    <Page key={title} title={title} lead={lead}>
      <div className="actions">
        <ConnectButton />
        <Link to="/banks" className="button">
          See your banks
        </Link>
      </div>
    </Page>
  )
}
