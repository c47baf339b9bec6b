// The frame of a page: its heading, which gets the focus when the page is shown, and the title of the window.
import { type ReactNode, useEffect, useRef } from 'react'

interface PageProps {
  readonly title: string
  /** Behind the heading. */
  readonly actions?: ReactNode
  readonly lead?: ReactNode
  readonly children: ReactNode
}

let isFirst = true

export function Page({ title, actions, lead, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · WealthNavigator`
  }, [title])
  useEffect(() => {
    // After a full load, the browser's own order begins at the top.
    if (!isFirst) heading.current?.focus()
    isFirst = false
  }, [])
  return (
    <>
      <header className="page-header">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead === undefined ? null : <p className="lead">{lead}</p>}
        </div>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

interface CardProps {
  readonly title: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}

/** A titled part of a page. */
export function Card({ title, actions, children }: CardProps) {
  return (
    <section className="card">
      <header className="card-header">
        <h2>{title}</h2>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  )
}
