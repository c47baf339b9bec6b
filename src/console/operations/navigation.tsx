// The pages for operators, and a filter of one of them that is in the address.
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { uuidPattern } from '../format/ids.ts'
import { spaced } from '../format/words.ts'
import { useSearch } from '../router/location.ts'
import { fieldText } from '../ui/form.ts'
import { type Tab, Tabs } from '../ui/tabs.tsx'
import { isToken, SecretRefused } from './secrets.tsx'

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

interface FilterField {
  readonly name: string
  readonly label: string
  /** Whether only an id of this deployment is accepted. */
  readonly isOurId?: boolean
  readonly type?: 'search' | 'date'
}

function FilterInput({ name, label, isOurId = false, type = 'search' }: FilterField) {
  const value = useSearch()[0].get(name) ?? ''
  const input = useRef<HTMLInputElement>(null)
  // The address may change elsewhere. The field stays the same, and keeps the focus.
  useEffect(() => {
    if (input.current !== null) input.current.value = value
  }, [value])
  return (
    <label className="field">
      <span>{label}</span>
      <input
        ref={input}
        type={type}
        name={name}
        maxLength={200}
        autoComplete="off"
        spellCheck={false}
        {...(isOurId ? { pattern: uuidPattern, title: 'An id of this deployment: 36 characters' } : {})}
      />
    </label>
  )
}

interface FiltersProps {
  /** What is filtered. */
  readonly label: string
  readonly fields: readonly FilterField[]
}

/** Each read of an administrator is recorded, so the list is read when the fields are complete: with Enter or the button. */
export function Filters({ label, fields }: FiltersProps) {
  const change = useSearch()[1]
  const [isRefused, setRefused] = useState(false)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const entries = fields.map(({ name }) => [name, fieldText(data, name).trim()] as const)
    const hasToken = entries.some(([, text]) => isToken(text))
    setRefused(hasToken)
    if (!hasToken) change(Object.fromEntries(entries))
  }
  return (
    <>
      <form className="inline-form" role="search" aria-label={`Filter ${label}`} onSubmit={submit}>
        {fields.map((field) => (
          <FilterInput key={field.name} {...field} />
        ))}
        <button type="submit" className="button">
          Filter<span className="visually-hidden"> {label}</span>
        </button>
      </form>
      {isRefused ? <SecretRefused /> : null}
    </>
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
