// A return from the bank in a tab that did not begin the connection: the bank's app opened it, or another browser. The server
// finishes the connection; this tab watches for it, and says what to do if nothing comes.
import { useQuery } from '@tanstack/react-query'
import type { Item } from '@wealthnavigator/client'
import { useEffect, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { itemsInterval, itemsQuery } from '../api/queries.ts'
import { itemWords } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { Page } from '../ui/page.tsx'
import { Empty, Failed } from '../ui/states.tsx'
import { Status } from '../ui/status.tsx'
import { ConnectButton } from './button.tsx'

/** The bank may have arrived before this tab asked for the first time. */
const earlierMs = 2 * 60_000
const waitMs = 60_000
const pollMs = 2000

const nameOf = ({ institution: { name } }: Item): string => name ?? 'Your bank'

function useWaitIsOver(): boolean {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), waitMs)
    return () => clearTimeout(timer)
  }, [])
  return isOver
}

interface FirstRead {
  readonly ids: ReadonlySet<string>
  readonly at: number
}

/** The banks of this return, newest first: those that came since the first read, or a moment before it. */
function arrivedIn(items: readonly Item[], first: FirstRead | null): readonly Item[] {
  if (first === null) return []
  return items
    .filter(({ id, created_at: created }) => !first.ids.has(id) || first.at - Date.parse(created) < earlierMs)
    .toSorted((a, b) => b.created_at.localeCompare(a.created_at))
}

function useArrivals() {
  const isOver = useWaitIsOver()
  const [first, setFirst] = useState<FirstRead | null>(null)
  const query = useQuery({
    ...itemsQuery(useClient()),
    refetchInterval: ({ state: { data, error } }) => {
      const [newest] = arrivedIn(data ?? [], first)
      if (newest !== undefined && itemWords(newest).tone === 'good') return false
      return isOver || error !== null ? itemsInterval(data) : pollMs
    },
  })
  const { data } = query
  if (data !== undefined && first === null) setFirst({ ids: new Set(data.map(({ id }) => id)), at: Date.now() })
  return { query, isOver, arrived: arrivedIn(data ?? [], first) }
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

function arrivalWords(newest: Item): Words {
  const { tone, action } = itemWords(newest)
  const name = nameOf(newest)
  if (tone === 'warn' || tone === 'bad')
    return {
      title: action === null ? `${name} is not ready yet` : `${name} needs one more step`,
      lead: 'The connection is saved. What it waits for is below.',
    }
  return {
    title: tone === 'good' ? `${name} is connected` : `${name} is almost connected`,
    lead: 'You may close this tab, or continue here. The tab where you began shows the same.',
  }
}

const waitingWords: Words = {
  title: 'You are back from your bank',
  lead: 'The server finishes the connection. It appears here, and in the tab where you began.',
}

/** The server may still wait for the bank, and a second connection may cost a second fee. */
const lateWords = (needsPerson: boolean): Words => ({
  title: 'No new bank has arrived',
  lead: `See your banks in a few minutes before you connect again. ${
    needsPerson
      ? 'If you signed in again at a bank that is listed here, it still needs you.'
      : 'If you repaired a connection, see your banks too.'
  }`,
})

export function ReturnedElsewhere() {
  const { query, isOver, arrived } = useArrivals()
  const { data = [], error, isPending, isPaused } = query
  const [newest] = arrived
  const waiting = data.filter((item) => !arrived.includes(item) && itemWords(item).action !== null)
  // A read that failed says nothing about the bank.
  const isLate = isOver && newest === undefined && !isPending && !isPaused && error === null
  const { title, lead } =
    newest === undefined ? (isLate ? lateWords(waiting.length > 0) : waitingWords) : arrivalWords(newest)
  return (
    <Page key={title} title={title} lead={lead}>
      {error === null ? null : <Failed error={error} retry={() => void query.refetch()} />}
      {isPaused && isPending ? (
        <Empty title="You are offline">This page loads as soon as you are connected again.</Empty>
      ) : null}
      {newest !== undefined || isLate || isPaused || error !== null ? null : (
        <p className="muted" role="status">
          Looking for the bank…
        </p>
      )}
      <Banks items={[...arrived, ...waiting]} />
      <div className="actions">
        {newest === undefined ? null : (
          <Link to="/accounts" className="button primary">
            See your accounts
          </Link>
        )}
        <Link to="/banks" className={isLate ? 'button primary' : 'button'}>
          See your banks
        </Link>
        {isLate ? <ConnectButton quiet /> : null}
      </div>
    </Page>
  )
}
