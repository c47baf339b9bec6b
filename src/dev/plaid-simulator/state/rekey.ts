// The ids under which one item knows what its bank knows under others: a substitution of characters, so that it needs no
// memory, depends on no order, and leaves ids that differ by case alone as they are to each other.
import { between, randomFrom } from '../bank/random.ts'

export interface Rekey {
  /** The item's id for one of the bank's. */
  readonly fromBank: (id: string) => string
  /** The bank's id for one of the item's. */
  readonly toBank: (id: string) => string
}

const lower = Array.from('abcdefghijklmnopqrstuvwxyz')
const upper = lower.map((letter) => letter.toUpperCase())
const digits = Array.from('0123456789')

/** Another seed gives other ids; the same seed the same ones. Characters that are no ASCII letters or digits stay. */
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

/** The numbers below `count` in another order (Fisher and Yates). */
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
