// docs/security.md names a test for each of its claims. Each named test exists, and no requirement of the listed
// standards is left out.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { citationsIn, hasTest } from '../../support/cited-tests.ts'

const text = await readFile(join(projectFolder, 'docs', 'security.md'), 'utf8')
const named = citationsIn(text).map(({ file, title }) => [file, title] as const)

/**
 * Whether a title is a sentence with a subject: at least five words, and the first is neither a finite form nor a
 * conjunction.
 */
function standsAlone(title: string): boolean {
  const words = title
    .replaceAll(' › ', ' ')
    .split(' ')
    .filter((word) => /^[^%]*[a-z]{1}/i.test(word))
  const opening =
    /^(?:is|are|was|has|have|may|can|does|gets?|ends?|works?|lets?|that|which|because|of|for|and|also|it)\b/i
  return words.length >= 5 && !opening.test(title)
}

/** The number of requirements of levels 1 and 2, by section, of the chapters that the document covers one by one. */
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

  it.each([
    'test/worker/freeze/',
    'test/worker/keys/',
    'test/worker/audit/',
    'test/worker/retention/',
    'test/worker/privacy/',
    'test/e2e/backup.test.ts',
    'test/e2e/compromise-drill.test.ts',
    'test/e2e/recovery-drill.test.ts',
  ])('names a test of each feature that protects data: %s', (place) => {
    expect(named.filter(([file]) => file.startsWith(place))).not.toEqual([])
  })

  it.each(named)('names a test that exists: %s › %s', async (file, title) => {
    expect(hasTest(await readFile(join(projectFolder, file), 'utf8'), title)).toBe(true)
  })

  it.each(named)('names a test by a title that can be understood alone: %s › %s', (_file, title) => {
    expect(standsAlone(title)).toBe(true)
  })

  it.each([
    'works once',
    'a code › works once',
    'is out of scripts’ reach and for this host alone',
    'of a statement inside rolls all of it back',
    '%s %s is not there',
  ])('would refuse the title "%s"', (title) => {
    expect(standsAlone(title)).toBe(false)
  })

  it.each([
    ['a title of another block', 'one block › second title'],
    ['a block that is not there', 'no block › first title'],
    ['a title that is not there', 'one block › no title'],
  ])('would notice %s', (_what, title) => {
    const source =
      "describe('one block', () => {\n  it('first title', run)\n})\ndescribe('another', () => {\n  it('second title', run)\n})"
    expect(hasTest(source, 'one block › first title')).toBe(true)
    expect(hasTest(source, title)).toBe(false)
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
