// The filters of the list of transactions. They are in the address, so that a filtered list can be kept and shared.
import type { Account } from '@wealthnavigator/client'
import { useEffect, useRef, useState } from 'react'
import type { TransactionFilter } from '../api/queries.ts'
import { accountIdIn } from '../format/ids.ts'
import { categoryWords } from '../format/words.ts'
import { AccountField } from '../ui/account-filter.tsx'

/** Plaid's primary categories (https://plaid.com/documents/pfc-taxonomy-all.csv). */
const categories = [
  'INCOME',
  'TRANSFER_IN',
  'TRANSFER_OUT',
  'LOAN_PAYMENTS',
  'BANK_FEES',
  'ENTERTAINMENT',
  'FOOD_AND_DRINK',
  'GENERAL_MERCHANDISE',
  'HOME_IMPROVEMENT',
  'MEDICAL',
  'PERSONAL_CARE',
  'GENERAL_SERVICES',
  'GOVERNMENT_AND_NON_PROFIT',
  'TRANSPORTATION',
  'TRAVEL',
  'RENT_AND_UTILITIES',
]

export const filterNames = ['q', 'account_id', 'category', 'from', 'to', 'pending'] as const

/** What the address says; a value that cannot be meant is left out. */
export function filterIn(params: URLSearchParams): TransactionFilter {
  const text = (name: string): string | undefined => params.get(name) || undefined
  const day = (name: string): string | undefined => {
    const value = text(name)
    return value !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined
  }
  const pending = text('pending')
  const entries = {
    q: text('q')?.slice(0, 200),
    account_id: accountIdIn(params),
    category: text('category')?.slice(0, 100),
    from: day('from'),
    to: day('to'),
    pending: pending === 'true' ? true : pending === 'false' ? false : undefined,
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
}

const typingMs = 300

function SearchField({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // The address may change elsewhere: back, or "Clear".
  useEffect(() => setText(value), [value])
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <label className="field grow">
      <span>Search</span>
      <input
        type="search"
        value={text}
        maxLength={200}
        placeholder="Name, merchant or note"
        onChange={(event) => {
          const next = event.currentTarget.value
          setText(next)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => onChange(next.trim()), typingMs)
        }}
      />
    </label>
  )
}

interface FiltersProps {
  readonly params: URLSearchParams
  readonly change: (changes: Readonly<Record<string, string | null>>) => void
  readonly accounts: readonly Account[]
}

export function Filters({ params, change, accounts }: FiltersProps) {
  const value = (name: string): string => params.get(name) ?? ''
  const count = Object.keys(filterIn(params)).filter((name) => name !== 'q').length
  return (
    <search className="filters">
      <SearchField value={value('q')} onChange={(q) => change({ q })} />
      <details className="more-filters" open={count > 0 || undefined}>
        <summary>
          Filters
          {count === 0 ? null : (
            <span className="count">
              {count}
              <span className="visually-hidden"> active</span>
            </span>
          )}
        </summary>
        <div className="filter-grid">
          <AccountField offered={accounts} chosen={accountIdIn(params) ?? ''} change={change} />
          <label className="field">
            <span>Category</span>
            <select value={value('category')} onChange={(event) => change({ category: event.currentTarget.value })}>
              <option value="">All categories</option>
              {[...new Set([...categories, ...(value('category') === '' ? [] : [value('category')])])].map((name) => (
                <option key={name} value={name}>
                  {categoryWords(name)}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span>From</span>
            <input
              type="date"
              value={value('from')}
              onChange={(event) => change({ from: event.currentTarget.value })}
            />
          </label>
          <label className="field">
            <span>To</span>
            <input type="date" value={value('to')} onChange={(event) => change({ to: event.currentTarget.value })} />
          </label>
          <label className="field">
            <span>State</span>
            <select value={value('pending')} onChange={(event) => change({ pending: event.currentTarget.value })}>
              <option value="">All</option>
              <option value="true">Pending</option>
              <option value="false">Posted</option>
            </select>
          </label>
        </div>
      </details>
      {filterNames.some((name) => params.has(name)) ? (
        <button
          type="button"
          className="button quiet"
          onClick={() => change(Object.fromEntries(filterNames.map((name) => [name, null])))}
        >
          Clear
        </button>
      ) : null}
    </search>
  )
}
