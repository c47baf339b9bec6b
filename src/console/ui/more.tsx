// Loads the next page of a list when the button is nearly on the screen.
import { useEffect, useRef } from 'react'

interface MoreProps {
  readonly busy: boolean
  /** Whether the last page failed: then only the button loads it. */
  readonly failed: boolean
  readonly load: () => void
}

export function More({ busy, failed, load }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    const element = button.current
    if (element === null || failed) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current()
      },
      { rootMargin: '200px' },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [busy, failed])
  return (
    <button ref={button} type="button" className="button wide" disabled={busy} onClick={load}>
      {busy ? 'Loading more…' : 'Show more'}
    </button>
  )
}
