// The parser of `If-None-Match` (RFC 9110, section 13.1.2).
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namedTags } from '../../../src/http/conditional.ts'

const tags = (header: string | null) => {
  const named = namedTags(header)
  return named === '*' ? '*' : [...named]
}

describe('the tags in If-None-Match', () => {
  it.each([
    ['"a"', ['"a"']],
    ['W/"a"', ['"a"']],
    ['"a", W/"b","c"', ['"a"', '"b"', '"c"']],
    ['  "a"\t,\t"b"  ', ['"a"', '"b"']],
    ['"a,b", "c"', ['"a,b"', '"c"']],
    [',, "a" ,, "b",', ['"a"', '"b"']],
    ['""', ['""']],
    ['"W/"', ['"W/"']],
    ['"caf\u00E9"', ['"caf\u00E9"']],
    ['*', '*'],
    [' * ', '*'],
    ['"*"', ['"*"']],
  ])('are those of %j', (header, expected) => {
    expect(tags(header)).toEqual(expected)
  })

  it.each([
    null,
    '',
    ' ',
    'a',
    'w/"a"',
    'W/a',
    'W /"a"',
    '"a',
    '"a"b',
    '"a" "b"',
    '"a b"',
    '"a\u007F"',
    '"a";q=1',
    '"a", *',
    '*, "a"',
    '**',
    "'a'",
    '"a", b, "c"',
  ])('are none where it is absent or malformed: %j', (header) => {
    expect(tags(header)).toEqual([])
  })

  it('are found in every list, however it is written, and after a malformed one', () => {
    const opaque = fc.string({
      unit: fc.constantFrom('!', '#', '*', ',', '/', '=', ';', 'W', 'W/', 'z', '~', '\u00E9', '\u00FF'),
      maxLength: 12,
    })
    const tag = fc.record({ opaque, weak: fc.boolean(), before: fc.constantFrom('', ' ', '\t ', ' , ') })
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 20 }), (given) => {
        namedTags('"broken')
        const header = given.map(({ opaque: text, weak, before }) => `${before}${weak ? 'W/' : ''}"${text}"`).join(',')
        expect(tags(header)).toEqual([...new Set(given.map(({ opaque: text }) => `"${text}"`))])
      }),
    )
  })

  it('are none in a long header, and a hostile one takes no time', () => {
    const listOf = (length: number) => Array.from({ length }, () => `W/"${'x'.repeat(22)}"`).join(', ')
    expect(tags(listOf(73))).toHaveLength(1)
    expect(tags(listOf(74))).toEqual([])
    const startedAt = performance.now()
    for (const part of [' ', ',', '"', ' ,', 'W/', '"a" ', '\t"'])
      for (const end of ['', '"', 'x']) namedTags(`${part.repeat(2048 / part.length - 1)}${end}`)
    expect(performance.now() - startedAt).toBeLessThan(200)
  })
})
