// Keeps the flow over a reload: a bank that uses OAuth leaves the page and comes back to it.
import type { Purpose, Saved } from './machine.ts'

/** What `sessionStorage` has. */
export interface Storage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

const key = 'wealthnavigator.connect'
/** Plaid's link tokens live four hours. */
const longestMs = 4 * 60 * 60 * 1000

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string'

function purposeOf(value: unknown): Purpose | null {
  if (!isRecord(value)) return null
  const { kind, itemId } = value
  if (kind === 'link') return { kind }
  return (kind === 'repair' || kind === 'accounts') && isText(itemId) ? { kind, itemId } : null
}

/** Null for anything that this version has not written. */
export function parseSaved(value: unknown, nowMs: number): Saved | null {
  if (!isRecord(value) || typeof value['at'] !== 'number' || Math.abs(nowMs - value['at']) > longestMs) return null
  const purpose = purposeOf(value['purpose'])
  const { step, mode, linkToken, itemId, known } = value
  if (purpose === null || !Array.isArray(known) || !known.every(isText)) return null
  if (step === 'waiting' && (itemId === null || isText(itemId))) return { step, purpose, itemId, known }
  if (step === 'linking' && (mode === 'link' || mode === 'hosted') && isText(linkToken))
    return { step, mode, purpose, linkToken, known }
  return null
}

/** Storage may be full or forbidden: then the flow works, and is lost with the page. */
function attempt<Value>(use: () => Value, otherwise: Value): Value {
  try {
    return use()
  } catch {
    return otherwise
  }
}

export function save(storage: Storage | null, saved: Saved, nowMs: number): void {
  attempt(() => storage?.setItem(key, JSON.stringify({ ...saved, at: nowMs })), undefined)
}

export function load(storage: Storage | null, nowMs: number): Saved | null {
  return attempt(() => {
    const text = storage?.getItem(key) ?? null
    return text === null ? null : parseSaved(JSON.parse(text), nowMs)
  }, null)
}

export function forget(storage: Storage | null): void {
  attempt(() => storage?.removeItem(key), undefined)
}
