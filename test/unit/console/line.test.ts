// The line of a chart: which parts are estimated, and where it breaks.
import { expect, test } from 'vitest'
import { breaksIn, place, stretchesOf } from '../../../src/console/ui/line.ts'

/** A day for each letter: `e` estimated, `r` reported. `counts` has the number of accounts of each day. */
const pointsOf = (kinds: string, counts: string) =>
  kinds.split('').map((kind, at) => ({
    date: `2026-03-0${at + 1}`,
    value: String(at),
    estimated: kind === 'e',
    accounts: Number(counts[at] ?? '1'),
  }))

function shapes(kinds: string, counts = ''): string[] {
  const points = pointsOf(kinds, counts)
  const placed = place(points)
  return stretchesOf(points, placed).map(
    ({ isEstimated, placed: part }) =>
      `${isEstimated ? 'estimated' : 'reported'} ${part.map((each) => placed.indexOf(each)).join('')}`,
  )
}

test('estimated and reported days are one line, whose parts share a day', () => {
  expect(shapes('eeerr')).toEqual(['estimated 012', 'reported 234'])
  expect(shapes('reer')).toEqual(['reported 0', 'estimated 012', 'reported 23'])
})

test('the line breaks where an account joins or leaves, so that no jump is drawn', () => {
  expect(shapes('eeerr', '22233')).toEqual(['estimated 012', 'reported 34'])
  expect(shapes('eeeer', '11223')).toEqual(['estimated 01', 'estimated 23', 'reported 4'])
  expect(shapes('rrrr', '2211')).toEqual(['reported 01', 'reported 23'])
  expect(breaksIn(pointsOf('eeeer', '11223')).map(({ date }) => date)).toEqual(['2026-03-03', '2026-03-05'])
})

test('days of one kind are one part', () => {
  expect(shapes('rrr')).toEqual(['reported 012'])
  expect(shapes('eee')).toEqual(['estimated 012'])
  expect(shapes('')).toEqual([])
})
