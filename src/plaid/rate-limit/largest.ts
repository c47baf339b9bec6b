// The largest of many entries, without a list of all of them.

/** The most entries that are read; the rest is left out. */
export const mostRead = 10_000
const mostShown = 10

/** The ten entries with the largest values above zero, of the first 10,000. */
export function largest<Entry>(entries: Iterable<Entry>, valueOf: (entry: Entry) => number): Entry[] {
  const found: { readonly entry: Entry; readonly value: number }[] = []
  let read = 0
  for (const entry of entries) {
    const value = valueOf(entry)
    const last = found.length < mostShown ? 0 : (found.at(-1)?.value ?? 0)
    if (value > last) {
      const place = found.findIndex((other) => other.value < value)
      found.splice(place === -1 ? found.length : place, 0, { entry, value })
      found.splice(mostShown)
    }
    read += 1
    if (read === mostRead) break
  }
  return found.map(({ entry }) => entry)
}
