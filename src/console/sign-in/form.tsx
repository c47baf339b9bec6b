// The parts of the forms for signed-out people.
import { type ReactNode, useEffect } from 'react'
import { errorWords } from '../format/words.ts'

/** For the field that a person fills in next. */
export const focusOn = (element: HTMLElement | null): void => element?.focus()

/** A titled form; the title is also that of the window. */
export function Panel({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · WealthNavigator`
  }, [title])
  return (
    <section className="panel">
      <h2>{title}</h2>
      {children}
    </section>
  )
}

interface FieldProps {
  readonly label: string
  readonly hint?: string
  readonly children: ReactNode
}

export function Field({ label, hint, children }: FieldProps) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
      {hint === undefined ? null : <span className="hint">{hint}</span>}
    </label>
  )
}

/** @param words replace those of the API where the form knows better what happened */
export function Refusal({ error, words = null }: { readonly error: unknown; readonly words?: string | null }) {
  if (error === null) return null
  const { why, next } = errorWords(error)
  return (
    <div className="notice bad" role="alert">
      <p>{words ?? <Reason why={why} next={next} />}</p>
    </div>
  )
}

const Reason = ({ why, next }: { readonly why: string; readonly next: string }) => (
  <>
    <strong>{why}</strong> {next}
  </>
)
