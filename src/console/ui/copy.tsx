// An id that is copied with one click.
import { useState } from 'react'

export function CopyId({ label, value }: { readonly label: string; readonly value: string }) {
  const [copied, setCopied] = useState(false)
  const copy = (): void => {
    void navigator.clipboard.writeText(value).then(
      () => setCopied(true),
      () => setCopied(false),
    )
  }
  const words = copied ? 'Copied' : 'Copy'
  return (
    <span className="copy">
      <span className="muted">{label}</span> <code>{value}</code>{' '}
      <button type="button" className="button small quiet" aria-label={`${words} ${label}`} onClick={copy}>
        {words}
      </button>
    </span>
  )
}
