// Adds up measurements by labels, with a bound: beyond it, measurements of new labels are added up together, so that no
// sum is too small. The isolates and the Durable Object use it.
import type { Labels, Measured } from './types.ts'

export type Delta = Omit<Measured, 'name'> & { readonly lastMs: number }

/** Mutable, because a request adds to several. */
export interface Cell {
  readonly labels: Labels
  sum: number
  count: number
  max: number
  last: number
  lastMs: number
  buckets: number[] | null
}

export type Cells = Map<string, Cell>

/** The value of each label of measurements beyond the bound. */
export const otherLabel = 'other'

export const seriesKey = (labels: Labels): string =>
  JSON.stringify(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)))

const emptyCell = (labels: Labels): Cell => ({
  labels,
  sum: 0,
  count: 0,
  max: Number.NEGATIVE_INFINITY,
  last: 0,
  lastMs: Number.NEGATIVE_INFINITY,
  buckets: null,
})

function addBuckets(cell: Cell, buckets: readonly number[]): void {
  cell.buckets ??= []
  for (const [index, count] of buckets.entries()) cell.buckets[index] = (cell.buckets[index] ?? 0) + count
}

function merge(cell: Cell, delta: Delta): void {
  cell.sum += delta.sum
  cell.count += delta.count
  cell.max = Math.max(cell.max, delta.max)
  if (delta.lastMs >= cell.lastMs) {
    cell.last = delta.last
    cell.lastMs = delta.lastMs
  }
  if (delta.buckets !== undefined) addBuckets(cell, delta.buckets)
}

/** Returns false if `most` cells exist and the measurement was added to the common one. */
export function addTo(cells: Cells, delta: Delta, most: number): boolean {
  const key = seriesKey(delta.labels)
  const own = cells.get(key)
  if (own !== undefined) merge(own, delta)
  else if (cells.size < most) insert(cells, key, delta)
  else {
    const others = Object.fromEntries(Object.keys(delta.labels).map((label) => [label, otherLabel]))
    const common = cells.get(seriesKey(others))
    if (common === undefined) insert(cells, seriesKey(others), { ...delta, labels: others })
    else merge(common, delta)
    return false
  }
  return true
}

function insert(cells: Cells, key: string, delta: Delta): void {
  const cell = emptyCell(delta.labels)
  merge(cell, delta)
  cells.set(key, cell)
}
