// Gives each item different ids for the same bank data, by substituting characters. This needs no memory, does not
// depend on order, and keeps ids that differ only in case distinct.
import { between, randomFrom } from '../bank/random.ts'

export interface Rekey {
  /** The item's id for a bank id. */
  readonly fromBank: (id: string) => string
  /** The bank id for an item's id. */
  readonly toBank: (id: string) => string
}

const lower = Array.from('abcdefghijklmnopqrstuvwxyz')
const upper = lower.map((letter) => letter.toUpperCase())
const digits = Array.from('0123456789')

/** Each seed gives other ids. Characters other than ASCII letters and digits stay. */
export function rekey(seed: string): Rekey {
  const letters = shuffled(lower.length, `${seed}/letters`)
  const numerals = shuffled(digits.length, `${seed}/digits`)
  const out = new Map<string, string>()
  const back = new Map<string, string>()
  for (const [alphabet, order] of [
    [lower, letters],
    [upper, letters],
    [digits, numerals],
  ] as const) {
    for (const [index, character] of alphabet.entries()) {
      const other = alphabet[order[index] ?? index] ?? character
      out.set(character, other)
      back.set(other, character)
    }
  }
  return { fromBank: (id) => substituted(id, out), toBank: (id) => substituted(id, back) }
}

function substituted(id: string, table: ReadonlyMap<string, string>): string {
  let text = ''
  for (const character of id) text += table.get(character) ?? character
  return text
}

/** The numbers below `count` in random order (Fisher–Yates). */
function shuffled(count: number, seed: string): number[] {
  const random = randomFrom(seed)
  const order = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last -= 1) {
    const chosen = between(random, 0, last)
    const [here, there] = [order[last] ?? 0, order[chosen] ?? 0]
    order[last] = there
    order[chosen] = here
  }
  return order
}
