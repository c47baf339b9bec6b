// A return from the bank in a tab that did not begin the connection: the bank's app opened it, or another browser. The server
// finishes the connection; this tab watches for it, and says what to do if nothing comes.
import { useQuery } from '@tanstack/react-query'
import type { Item } from '@wealthnavigator/client'
import { useEffect, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { itemsQuery } from '../api/queries.ts'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Page } from '../ui/page.tsx'
import { Failed } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'
import { ConnectButton } from './button.tsx'

/** How long a session of Link may take. */
const recentMs = 30 * 60_000
const waitMs = 60_000
const pollMs = 2000

const nameOf = ({ institution: { name } }: Item): string => name ?? 'Your bank'

function usePatience(): boolean {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), waitMs)
    return () => clearTimeout(timer)
  }, [])
  return isOver
}

function Banks({ items }: { readonly items: readonly Item[] }) {
  return (
    <ul className="cards">
      {items.map((item) => {
        const { tone, state, detail, action } = itemWords(item)
        return (
          <li key={item.id} className="card">
            <header className="card-header">
              <h2>{nameOf(item)}</h2>
              <Status tone={tone}>{state}</Status>
            </header>
            {detail === null ? null : <p>{detail}</p>}
            {action === null ? null : (
              <div className="actions">
                <ConnectButton kind={action.kind} itemId={item.id} label={action.label} />
              </div>
            )}
          </li>
        )
      })}
    </ul>
  )
}

interface Words {
  readonly title: string
  readonly lead: string
}

function wordsFor(recent: readonly Item[], waiting: readonly Item[], isOver: boolean): Words {
  const [newest] = recent
  if (newest !== undefined) {
    const isReady = itemWords(newest).tone === 'good'
    return {
      title: isReady ? `${nameOf(newest)} is connected` : `${nameOf(newest)} is almost connected`,
      lead: 'You may close this tab, or continue here. The tab where you began shows the same.',
    }
  }
  if (!isOver)
    return {
      title: 'You are back from your bank',
      lead: 'The server finishes the connection. It appears here within a minute, and in the tab where you began.',
    }
  return {
    title: 'No new bank has arrived',
    lead:
      waiting.length > 0
        ? 'If you signed in again at a bank that is listed here, it still needs you. If you connected a new bank, you left before the end: connect it again.'
        : 'If you repaired a connection, it works again: see your banks. If you connected a new bank, you left before the end, and nothing was saved: connect it again.',
  }
}

export function ReturnedElsewhere() {
  const query = useQuery({ ...itemsQuery(useClient()), refetchInterval: pollMs })
  const isOver = usePatience()
  const items = query.data ?? []
  const recent = items
    .filter(({ created_at: created }) => Date.now() - Date.parse(created) < recentMs)
    .toSorted((a, b) => b.created_at.localeCompare(a.created_at))
  const waiting = items.filter((item) => !recent.includes(item) && itemWords(item).action !== null)
  const { title, lead } = wordsFor(recent, waiting, isOver)
  return (
    <Page key={title} title={title} lead={lead}>
      {query.error === null ? null : <Failed error={query.error} retry={() => void query.refetch()} />}
      {recent.length > 0 || isOver ? null : (
        <p className="muted" role="status">
          Looking for the bank…
        </p>
      )}
      <Banks items={[...recent, ...waiting]} />
      <div className="actions">
        {recent.length > 0 ? (
          <Link to="/accounts" className="button primary">
            See your accounts
          </Link>
        ) : isOver ? (
          <ConnectButton />
        ) : null}
        <Link to="/banks" className="button">
          See your banks
        </Link>
      </div>
    </Page>
  )
}
