// Opens banks for the tests of the generator, with ids counted by kind and one fixed day as a default.
import type { Bank } from '../../../../../src/dev/plaid-simulator/bank/model.ts'
import { openBank } from '../../../../../src/dev/plaid-simulator/bank/open.ts'
import type { Ids } from '../../../../../src/dev/plaid-simulator/bank/values.ts'

/** A Saturday. */
export const today = '2026-11-21'

/** Unique ids like `transaction-7`. */
export function countedIds(): Ids {
  const counts = new Map<string, number>()
  return (kind) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    return `${kind}-${count}`
  }
}

interface Wanted {
  seed?: string
  institutionId?: string
  username?: string
  customUser?: unknown
  today?: string
  ids?: Ids
}

/** Opens a bank with defaults for everything that is not given. */
export function aBank(wanted: Wanted = {}): Bank {
  return openBank({
    seed: 'a seed',
    institutionId: 'ins_109508',
    username: 'user_good',
    customUser: null,
    historyDays: 730,
    today,
    ids: countedIds(),
    ...wanted,
  })
}

/** Parses JSON like the simulator, with numbers as text. */
export function exactly(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value,
  )
}

/** All comparable data of a bank, as text. */
export function written(bank: Bank): string {
  return JSON.stringify(bank, (_key, value: unknown) => {
    if (value instanceof Map) return [...value]
    return value instanceof Set ? [...value] : value
  })
}
