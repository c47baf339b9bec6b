// One box for every id. What is found leads to the item, and a token is never put into the address.
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { searchQuery } from '../api/operations.ts'
import { spaced } from '../format/words.ts'
import { Link } from '../router/link.tsx'
import { useSearch } from '../router/location.ts'
import { CopyId } from '../ui/copy.tsx'
import { fieldText } from '../ui/form.ts'
import { Await, Empty } from '../ui/states.tsx'
import { Moment } from './entry.tsx'
import { isSecret, isToken, SecretRefused } from './secrets.tsx'

interface Found {
  readonly kind: string
  readonly id: string
  readonly item_id: string | null
  readonly user_id: string | null
}

function pageOf({ kind, id, item_id: itemId, user_id: userId }: Found): string | null {
  if (kind === 'user') return `/operations/items?user_id=${id}`
  if (itemId !== null) return `/operations/items/${itemId}`
  if (kind === 'dead_letter') return '/operations/dead-letters'
  return userId === null ? null : `/operations/items?user_id=${userId}`
}

function Results({ id }: { readonly id: string }) {
  const query = useQuery(searchQuery(useClient(), id))
  return (
    <div role="status">
      <Await query={query} label="Searching">
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="Nothing has this id">Ids are compared exactly. Old data may have been deleted.</Empty>
          ) : (
            <ol className="entries">
              {data.map((found) => {
                const page = pageOf(found)
                const words = spaced(found.kind)
                return (
                  <li key={`${found.kind} ${found.id}`} className="entry">
                    <strong>{page === null ? words : <Link to={page}>{words}</Link>}</strong>
                    {found.at === null ? null : (
                      <p className="sub">
                        <Moment at={found.at} />
                      </p>
                    )}
                    <CopyId label={`Id of the ${words}`} value={found.id} />
                  </li>
                )
              })}
            </ol>
          )
        }
      </Await>
    </div>
  )
}

export function IdSearch() {
  const [params, change] = useSearch()
  const [token, setToken] = useState('')
  const [refused, setRefused] = useState(false)
  const id = token === '' ? (params.get('id') ?? '').trim().slice(0, 400) : token
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const text = fieldText(new FormData(event.currentTarget), 'id').trim()
    setRefused(isSecret(text))
    setToken(isToken(text) && !isSecret(text) ? text : '')
    change({ id: isToken(text) ? null : text })
  }
  return (
    <section className="card" aria-label="Find an id">
      <form className="inline-form" role="search" onSubmit={submit}>
        <label className="field">
          <span>Id, request id or link token</span>
          <input
            name="id"
            type="search"
            defaultValue={isToken(id) ? '' : id}
            maxLength={400}
            autoComplete="off"
            spellCheck={false}
            required
          />
        </label>
        <button type="submit" className="button primary">
          Find
        </button>
      </form>
      <p className="fine">
        Ours or Plaid’s, of an item, an account, a transaction, a run, a request or a Link session.
      </p>
      {refused ? <SecretRefused /> : null}
      {id === '' || isSecret(id) ? null : <Results key={id} id={id} />}
    </section>
  )
}
