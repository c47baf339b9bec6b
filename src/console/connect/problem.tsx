// Says why the last attempt did not begin or did not end, above the page that began it.
import { errorWords } from '../format/words.ts'
import { useConnect } from './provider.tsx'

export function ConnectProblem() {
  const bank = useConnect()
  const { error, state } = bank
  if (error === null) return null
  const isRepair = 'purpose' in state && state.purpose.kind !== 'link'
  const { why, next } = errorWords(error)
  return (
    <div className="notice bad" role="alert">
      <p>
        <strong>{isRepair ? 'The connection was not repaired.' : 'The bank was not connected.'}</strong> {why} {next}
      </p>
      <div className="actions">
        <button type="button" className="button" onClick={() => bank.retry()}>
          Try again
        </button>
        <button type="button" className="button quiet" onClick={() => bank.reset()}>
          Dismiss
        </button>
      </div>
    </div>
  )
}
