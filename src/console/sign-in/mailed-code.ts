// The links of e-mails. What they carry is in the fragment, which browsers do not send. A code leaves the address as soon as it is
// read, so that neither the history nor a shared address has it, and is in memory alone until it is used. The reference of an erasure
// is no secret of an account: it goes into the path of its page.
import { useSyncExternalStore } from 'react'
import { navigate } from '../router/location.ts'
import { paths } from './paths.ts'

type Purpose = 'verify-email' | 'reset-password'

const pages: Readonly<Record<Purpose, string>> = { 'verify-email': paths.verify, 'reset-password': paths.reset }

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

/** It was used, or a newer e-mail was asked for. */
export const forgetMailedCode = (purpose: Purpose): void => setCode(purpose, '')

/** Shows the page of the link that was opened, if one was. */
export function openMailedLink(): void {
  const [, name = '', code = ''] = /^#([\w-]+)=([\w-]{1,64})$/.exec(window.location.hash) ?? []
  if (isPurpose(name)) {
    setCode(name, code)
    navigate(pages[name], { replace: true })
  } else if (name === 'erasure') navigate(`/erased/${code}`, { replace: true })
  else return
  // The link may lead to that page itself.
  const { hash, pathname, search } = window.location
  if (hash !== '') window.history.replaceState(null, '', pathname + search)
}
