import { describe, expect, it } from 'vitest'
import { type Promised, type Place, withResults } from '../../../../src/cli/conformance/report.ts'
import type { Outcome } from '../../../../src/cli/conformance/run.ts'

const promised = (name: string): Promised => ({ name, promise: `${name} holds.`, source: 'a page', certainty: 'sure' })
const both = [promised('neon/a'), promised('plaid/b')]
const empty = '# Conformance\n\nHow to run it.\n\n## Results\n'

function write(document: string, place: Place, date: string, results: Record<string, Outcome>): string {
  const named = Object.entries(results).map(([name, outcome]) => ({ name, outcome }))
  return withResults(document, both, { place, date, results: named })
}

const passed: Outcome = { kind: 'passed' }

describe('the conformance report', () => {
  it('has a row for each assertion, run or not, and keeps the text before the table', () => {
    const document = write(empty, 'stand-in', '2026-11-01', { 'neon/a': passed })
    expect(document).toContain('# Conformance\n\nHow to run it.\n\n## Results\n\n| assertion |')
    expect(document).toContain('| `neon/a` | neon/a holds. | a page | sure | passed 2026-11-01 | not run |')
    expect(document).toContain('| `plaid/b` | plaid/b holds. | a page | sure | not run | not run |')
  })

  it('keeps the dated results of other services and places', () => {
    const standIn = write(empty, 'stand-in', '2026-11-01', { 'neon/a': passed, 'plaid/b': passed })
    const neon = write(standIn, 'real', '2026-11-02', { 'neon/a': { kind: 'failed', reason: 'a | b\nc' } })
    const plaid = write(neon, 'real', '2026-11-03', { 'plaid/b': { kind: 'unchecked', reason: 'no tunnel' } })
    const again = write(plaid, 'stand-in', '2026-11-04', { 'neon/a': passed })
    expect(again).toContain(String.raw`| passed 2026-11-04 | **failed** 2026-11-02: a \| b c |`)
    expect(again).toContain('| passed 2026-11-01 | not checkable 2026-11-03: no tunnel |')
  })

  it('writes the observed response where several pass', () => {
    const document = write(empty, 'real', '2026-11-02', { 'neon/a': { kind: 'passed', seen: '57P01' } })
    expect(document).toContain('| not run | passed 2026-11-02: 57P01 |')
  })

  it('is the same document when a run has no results', () => {
    const document = write(empty, 'real', '2026-11-02', { 'neon/a': { kind: 'failed', reason: 'x | y' } })
    expect(write(document, 'stand-in', '2026-11-03', {})).toBe(document)
  })

  it('drops the row of an assertion that no longer exists', () => {
    const document = write(empty, 'real', '2026-11-02', { 'neon/a': passed })
    const later = withResults(document, [promised('plaid/b')], { place: 'real', date: '2026-11-03', results: [] })
    expect(later).not.toContain('neon/a')
  })

  it('refuses a document without the heading', () => {
    expect(() => write('# Other', 'real', '2026-11-02', {})).toThrow('## Results')
  })
})
