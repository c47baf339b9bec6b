// Loads the next page of a list when the button is nearly on the screen.
import { useEffect, useRef } from 'react'

interface MoreProps {
  readonly busy: boolean
  /** Whether only the button loads the page, as after a failure. */
  readonly byButton: boolean
  readonly load: () => void
}

export function More({ busy, byButton, load }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const element = button.current
    if (element === null || byButton) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current()
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [busy, byButton])
  return (
    <button ref={button} type="button" className="button wide" disabled={busy} onClick={load}>
      {busy ? 'Loading more…' : 'Show more'}
    </button>
  )
}
