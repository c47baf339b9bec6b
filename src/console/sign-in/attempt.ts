// One attempt at a time: whether it runs, and why the last one failed.
import { useState } from 'react'

export interface Attempt {
  readonly busy: boolean
  readonly error: unknown
  readonly attempt: (work: () => Promise<void>) => void
}

export function useAttempt(): Attempt {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const attempt = (work: () => Promise<void>): void => {
    setBusy(true)
    setError(null)
    work()
      .catch((thrown: unknown) => setError(thrown))
      .finally(() => setBusy(false))
  }
  return { busy, error, attempt }
}
