// What a page shows instead of its data: that they are loading, that there are none, or why they did not come.
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { errorWords } from '../format/words.ts'

export function Loading({ label = 'Loading', lines = 4 }: { readonly label?: string; readonly lines?: number }) {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">{label}</span>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="skeleton" aria-hidden="true" />
      ))}
    </div>
  )
}

interface EmptyProps {
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {action}
    </div>
  )
}

export function Failed({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const { why, next, requestId } = errorWords(error)
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{why}</strong> {next}
      </p>
      {requestId === null ? null : (
        <p className="fine">
          Request <code>{requestId}</code>
        </p>
      )}
      {retry === undefined ? null : (
        <div className="actions">
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  )
}

interface AwaitProps<Data> {
  readonly query: UseQueryResult<Data>
  readonly label: string
  readonly children: (data: Data) => ReactNode
}

/** Shows a query: what it read, even where a later read failed, else that it loads or why it failed. */
export function Await<Data>({ query, label, children }: AwaitProps<Data>) {
  const { data, error, isPending, isPaused } = query
  const retry = (): void => void query.refetch()
  if (isPending)
    return isPaused ? (
      <Empty title="You are offline">This page loads as soon as you are connected again.</Empty>
    ) : (
      <Loading label={label} />
    )
  return (
    <>
      {error === null ? null : <Failed error={error} retry={retry} />}
      {data === undefined ? null : children(data)}
    </>
  )
}
