// The address as state, over the browser's history.
import { useSyncExternalStore } from 'react'

export interface Location {
  readonly pathname: string
  readonly search: string
}

const listeners = new Set<() => void>()
const notify = (): void => {
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', notify)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) window.removeEventListener('popstate', notify)
  }
}

const address = (): string => window.location.pathname + window.location.search

export interface NavigateOptions {
  /** Changes the entry of the history instead of adding one. */
  readonly replace?: boolean
}

/** Shows another page of the console. */
export function navigate(to: string, { replace = false }: NavigateOptions = {}): void {
  if (to === address()) return
  if (replace) window.history.replaceState(null, '', to)
  else window.history.pushState(null, '', to)
  notify()
}

export function useLocation(): Location {
  const [pathname = '/', search = ''] = useSyncExternalStore(subscribe, address).split(/(?=\?)/)
  return { pathname, search }
}

type Changes = Readonly<Record<string, string | null>>

/** The parameters of the address, and a function that changes some; null and '' remove one. */
export function useSearch(): readonly [URLSearchParams, (changes: Changes) => void] {
  const params = new URLSearchParams(useLocation().search)
  const change = (changes: Changes): void => {
    // The address of now: another change may have come in between.
    const { pathname, search } = window.location
    const next = new URLSearchParams(search)
    for (const [name, value] of Object.entries(changes))
      if (value === null || value === '') next.delete(name)
      else next.set(name, value)
    const text = next.toString()
    navigate(text === '' ? pathname : `${pathname}?${text}`, { replace: true })
  }
  return [params, change]
}
