// The links of e-mails. Their code is in the fragment, which browsers do not send. It leaves the address as soon as it is read, so
// that neither the history nor a shared address has it, and is in memory alone.
import { useSyncExternalStore } from 'react'
import { navigate } from '../router/location.ts'
import { paths } from './paths.ts'

type Purpose = 'verify-email' | 'reset-password' | 'erasure'

const pages: Readonly<Record<Purpose, (code: string) => string>> = {
  'verify-email': () => paths.verify,
  'reset-password': () => paths.reset,
  erasure: (id) => `/erased/${id}`,
}

const isPurpose = (name: string): name is Purpose => Object.hasOwn(pages, name)

const codes = new Map<Purpose, string>()
const listeners = new Set<() => void>()

function setCode(purpose: Purpose, code: string): void {
  codes.set(purpose, code)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The code of the link that was opened; empty without one. */
export const useMailedCode = (purpose: Purpose): string =>
  useSyncExternalStore(subscribe, () => codes.get(purpose) ?? '')

/** A newer e-mail is on its way. */
export const forgetMailedCode = (purpose: Purpose): void => setCode(purpose, '')

/** Shows the page of the link that was opened, if one was. */
export function openMailedLink(): void {
  const [, name = '', code = ''] = /^#([\w-]+)=([\w-]{1,64})$/.exec(window.location.hash) ?? []
  if (!isPurpose(name)) return
  setCode(name, code)
  navigate(pages[name](code), { replace: true })
  // The link may lead to that page itself.
  const { hash, pathname, search } = window.location
  if (hash !== '') window.history.replaceState(null, '', pathname + search)
}
