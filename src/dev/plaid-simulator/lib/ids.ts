// Ids and tokens in Plaid's formats, from the seed. They can be guessed, because they only protect simulated money.
import { pick, type Random, randomFrom } from '../bank/random.ts'

const alphabet = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const idLength = 37
/** One of so many ids differs from the previous one only in the case of one letter, as can happen at Plaid. */
const similarIdEvery = 8

export interface Ids {
  /** A new 37-character id, unique for its kind and case-sensitive. */
  next(kind: string): string
  /** A new UUID for a token of this kind. */
  uuid(kind: string): string
  /** A new 15-character request id. */
  request(): string
}

export function seededIds(seed: string): Ids {
  const streams = new Map<string, { random: Random; made: Set<string>; last: string }>()
  const stream = (kind: string) => {
    const found = streams.get(kind) ?? { random: randomFrom(`${seed}/${kind}`), made: new Set<string>(), last: '' }
    streams.set(kind, found)
    return found
  }
  return {
    next(kind) {
      const { random, made, last } = stream(kind)
      const similar = made.size % similarIdEvery === similarIdEvery - 1 ? flipOneLetter(last, random) : null
      const id = similar === null || made.has(similar) ? characters(random, idLength) : similar
      made.add(id)
      streams.set(kind, { random, made, last: id })
      return id
    },
    uuid: (kind) => uuid(stream(kind).random),
    request: () => characters(stream('request').random, 15),
  }
}

function characters(random: Random, length: number): string {
  return Array.from({ length }, () => pick(random, alphabet)).join('')
}

function flipOneLetter(id: string, random: Random): string | null {
  const letters = Array.from(id).flatMap((character, index) => (/[a-z]/i.test(character) ? [index] : []))
  if (letters.length === 0) return null
  const chosen = pick(random, letters)
  const flip = (letter: string): string =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
  return Array.from(id, (character, index) => (index === chosen ? flip(character) : character)).join('')
}

function uuid(random: Random): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('')
  const variant = pick(random, ['8', '9', 'a', 'b'])
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`
}
