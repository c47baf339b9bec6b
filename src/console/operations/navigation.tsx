// The pages for operators, and a filter of one of them that is in the address.
import type { FormEvent } from 'react'
import { uuidPattern } from '../format/ids.ts'
import { spaced } from '../format/words.ts'
import { useSearch } from '../router/location.ts'
import { fieldText } from '../ui/form.ts'
import { type Tab, Tabs } from '../ui/tabs.tsx'

const sections: readonly Tab[] = [
  { to: '/operations', label: 'State' },
  { to: '/operations/items', label: 'Items' },
  { to: '/operations/runs', label: 'Runs' },
  { to: '/operations/webhooks', label: 'Webhooks' },
  { to: '/operations/refusals', label: 'Refused' },
  { to: '/operations/dead-letters', label: 'Dead letters' },
  { to: '/operations/exchanges', label: 'Exchanges' },
  { to: '/operations/removals', label: 'Removals' },
  { to: '/operations/quota', label: 'Quota' },
  { to: '/operations/usage', label: 'Usage' },
  { to: '/operations/audit', label: 'Audit' },
]

export const OperationsNavigation = () => <Tabs label="Operations" tabs={sections} />

interface ChoiceProps {
  readonly name: string
  readonly label: string
  readonly values: readonly string[]
}

export function Choice({ name, label, values }: ChoiceProps) {
  const [params, change] = useSearch()
  return (
    <label className="field">
      <span>{label}</span>
      <select value={params.get(name) ?? ''} onChange={(event) => change({ [name]: event.currentTarget.value })}>
        <option value="">All</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {spaced(value)}
          </option>
        ))}
      </select>
    </label>
  )
}

interface TextFilterProps {
  readonly name: string
  readonly label: string
  /** Whether only an id of this deployment is accepted. */
  readonly isOurId?: boolean
}

/** Each read of an administrator is recorded, so the list is read when the text is complete: with Enter or the button. */
export function TextFilter({ name, label, isOurId = false }: TextFilterProps) {
  const [params, change] = useSearch()
  const value = params.get(name) ?? ''
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    change({ [name]: fieldText(new FormData(event.currentTarget), name).trim() })
  }
  return (
    <form className="inline-form" role="search" aria-label={`Filter by ${label}`} onSubmit={submit}>
      <label className="field">
        <span>{label}</span>
        <input
          // The address may change elsewhere.
          key={value}
          type="search"
          name={name}
          defaultValue={value}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          {...(isOurId ? { pattern: uuidPattern, title: 'An id of this deployment: 36 characters' } : {})}
        />
      </label>
      <button type="submit" className="button">
        Filter<span className="visually-hidden"> by {label}</span>
      </button>
    </form>
  )
}

export function DayFilter({ name, label }: { readonly name: string; readonly label: string }) {
  const [params, change] = useSearch()
  return (
    <label className="field">
      <span>{label}</span>
      <input
        type="date"
        value={params.get(name) ?? ''}
        onChange={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  )
}

/** Says which other filters the address has, and removes them. */
export function Chosen({ names }: { readonly names: readonly string[] }) {
  const [params, change] = useSearch()
  const chosen = names.flatMap((name) => {
    const value = params.get(name)
    return value === null ? [] : [{ name, value }]
  })
  return chosen.map(({ name, value }) => (
    <p key={name} className="chosen">
      <span className="muted">{spaced(name)}</span> <code>{value}</code>{' '}
      <button type="button" className="button small quiet" onClick={() => change({ [name]: null })}>
        Remove filter
      </button>
    </p>
  ))
}
