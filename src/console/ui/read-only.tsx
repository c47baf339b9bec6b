// The read-only state: one line above every page, and buttons that are disabled and say why.
import type { ComponentProps } from 'react'
import { useReadOnly } from '../api/read-only.ts'
import { Link } from '../router/link.tsx'

const noticeId = 'read-only'

export function ReadOnlyNotice({ isOperator }: { readonly isOperator: boolean }) {
  if (!useReadOnly()) return null
  return (
    <div className="notice warn" role="status" id={noticeId}>
      <p>
        <strong>Read-only.</strong> Changes are paused while an incident is handled. Everything can still be read.
        {isOperator ? (
          <>
            {' '}
            <Link to="/operations">See the freeze</Link>
          </>
        ) : null}
      </p>
    </div>
  )
}

/** What a control has that changes something. */
export function useWrite(): { readonly isReadOnly: boolean; readonly describedBy: string | undefined } {
  const isReadOnly = useReadOnly()
  return { isReadOnly, describedBy: isReadOnly ? noticeId : undefined }
}

/** A button that changes something: while the deployment is frozen, it is disabled and refers to the notice. */
export function WriteButton({ disabled = false, type = 'button', ...given }: ComponentProps<'button'>) {
  const { isReadOnly, describedBy } = useWrite()
  return <button {...given} type={type} disabled={disabled || isReadOnly} aria-describedby={describedBy} />
}
