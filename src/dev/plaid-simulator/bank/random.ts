// Seeded random numbers: the same seed gives the same sequence on every machine. Not for secrets.

/** A source of numbers in [0, 1), uniformly distributed. */
export type Random = () => number

/**
 * A generator with 128 bits of state, seeded from text. The generator is Chris Doty-Humphrey's public-domain sfc32
 * (PractRand). The state comes from FNV-1a over the text, once for each of its four words.
 */
export function randomFrom(seed: string): Random {
  let [a, b, c, counter] = [lane(seed, 1), lane(seed, 2), lane(seed, 3), 1]
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  // The first rounds separate similar seeds.
  for (let round = 0; round < 15; round += 1) next()
  return next
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1))
}

/**
 * One of the choices, with equal probability.
 * @throws RangeError if there are none
 */
export function pick<Choice>(random: Random, choices: readonly Choice[]): Choice {
  const choice = choices[Math.floor(random() * choices.length)]
  if (choice === undefined) throw new RangeError('nothing to pick from')
  return choice
}

function lane(seed: string, number: number): number {
  let hash = 0x811c9dc5 ^ number
  for (const byte of new TextEncoder().encode(`${number}:${seed}`)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash | 0
}
