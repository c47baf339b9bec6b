// The geometry of a line over time.
import { approximately, type Decimal } from '../format/money.ts'

export interface Point {
  readonly date: string
  readonly value: Decimal
  /** Whether the bank did not report the value. */
  readonly estimated: boolean
  /** How many accounts are in the value, which is of one currency. */
  readonly accounts?: number
}

export const [width, height] = [720, 220]
export const inset = { top: 12, right: 6, bottom: 2, left: 6 }

export interface Placed {
  readonly x: number
  readonly y: number
}

/** The positions of the points. A flat line is in the middle. */
export function place(points: readonly Point[]): Placed[] {
  const values = points.map(({ value }) => approximately(value))
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const times = points.map(({ date }) => Date.parse(date))
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  const innerWidth = width - inset.left - inset.right
  const innerHeight = height - inset.top - inset.bottom
  return points.map((_, index) => ({
    x: inset.left + (last === first ? innerWidth : (((times[index] ?? 0) - first) / (last - first)) * innerWidth),
    y: inset.top + (high === low ? 0.5 : (high - (values[index] ?? 0)) / (high - low)) * innerHeight,
  }))
}

export const round = (value: number): number => Math.round(value * 10) / 10
export const lineOf = (placed: readonly Placed[]): string =>
  placed.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${round(x)} ${round(y)}`).join('')

interface Stretch {
  readonly isEstimated: boolean
  readonly placed: readonly Placed[]
}

const isBreak = (point: Point | undefined, before: Point | undefined): boolean => point?.accounts !== before?.accounts

/** Where accounts join or leave the line: the value changes there without a gain or a loss. */
export const breaksIn = (points: readonly Point[]): Point[] =>
  points.filter((point, at) => at > 0 && isBreak(point, points[at - 1]))

/** The line in parts that are all estimated or all reported. A part begins where the one before ends, unless the line breaks. */
export function stretchesOf(points: readonly Point[], placed: readonly Placed[]): Stretch[] {
  const starts = points.flatMap((point, at) => {
    const before = points[at - 1]
    return point.estimated === before?.estimated && !isBreak(point, before) ? [] : [at]
  })
  return starts.map((start, at) => {
    const point = points[start]
    const from = start > 0 && !isBreak(point, points[start - 1]) ? start - 1 : start
    return { isEstimated: point?.estimated ?? false, placed: placed.slice(from, starts[at + 1] ?? points.length) }
  })
}

export const areaOf = (placed: readonly Placed[]): string =>
  `${lineOf(placed)}L${round(placed.at(-1)?.x ?? 0)} ${height - inset.bottom}L${round(placed[0]?.x ?? 0)} ${height - inset.bottom}Z`
