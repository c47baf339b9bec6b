// docs/security.md names tests for what it claims; each must be there, and no requirement of the lists may be forgotten.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..', '..')
const text = await readFile(join(root, 'docs', 'security.md'), 'utf8')
const named = [...text.matchAll(/`(test\/[^`]+?\.test\.ts) › ([^`]+)`/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
)

/** Whether a source has a string literal of that text. */
const hasLiteral = (source: string, name: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${name}${quote}`))

/** Requirements of levels 1 and 2 of the chapters that are gone through one by one, by section: how many there are. */
const sections: Readonly<Record<string, number>> = {
  '2.1': 3,
  '2.2': 3,
  '2.3': 4,
  '2.4': 1,
  '3.3': 4,
  '3.4': 6,
  '4.1': 3,
  '4.2': 1,
  '4.3': 2,
  '4.4': 4,
  '6.1': 3,
  '6.2': 11,
  '6.3': 3,
  '6.4': 4,
  '6.5': 5,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 2,
  '7.6': 2,
  '8.1': 2,
  '8.2': 3,
  '9.1': 3,
  '9.2': 4,
  '16.2': 5,
  '16.3': 4,
  '16.4': 3,
  '16.5': 3,
}

const rows = text.split('\n').filter((line) => line.startsWith('| '))
const ids = new Set(rows.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((id) => id.trim())))

describe('the table of security requirements', () => {
  it('names tests by the dozen', () => {
    expect(new Set(named.map(([file, name]) => `${file} ${name}`)).size).toBeGreaterThan(60)
  })

  it.each(named)('names a test that exists: %s › %s', async (file, name) => {
    expect(hasLiteral(await readFile(join(root, file), 'utf8'), name)).toBe(true)
  })

  it('has all ten of the API Security Top 10', () => {
    const ten = Array.from({ length: 10 }, (_, index) => `API${index + 1}:2023`)
    expect(ten.filter((id) => !ids.has(id))).toEqual([])
  })

  it.each(Object.entries(sections))('has all of section %s', (section, count) => {
    const wanted = Array.from({ length: count }, (_, index) => `${section}.${index + 1}`)
    expect(wanted.filter((id) => !ids.has(id))).toEqual([])
  })

  it('says of each row either which test shows it, why it does not apply, or that it is open', () => {
    const empty = rows.filter((row) => {
      const [, , why = '', shown = ''] = row.split('|').map((cell) => cell.trim())
      return why === '' || (shown === '' && !/\b(no|nothing|none|issuer|one audience)\b/i.test(why))
    })
    expect(empty).toEqual([])
  })
})
