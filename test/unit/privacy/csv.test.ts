import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { csvLine, numberCell, textCell } from '../../../src/privacy/csv.ts'

/** The cells that a spreadsheet sees, whichever of comma, semicolon and tab separates them; quotes are ignored. */
const seenCells = (line: string): string[] => line.replaceAll('"', '').split(/[,;\t\r\n]/)
const isFormula = (cell: string): boolean => /^\s*[=+\-@＝＋－＠]/.test(cell)

describe('a cell of text', () => {
  it.each([
    ['=1+1', `"'=1+1"`],
    ['+1', `"'+1"`],
    ['-1', `"'-1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['＝1', `"'＝1"`],
    ['  =1', `"  '=1"`],
    ['\tx', `"'\tx"`],
    ['\rx', `"'\rx"`],
    ['a;=1', `"a;'=1"`],
    ['a\n-1', `"a\n'-1"`],
    ['plain', '"plain"'],
    ['a-b = c', '"a-b = c"'],
    ['says "hi"', '"says ""hi"""'],
    ['', '""'],
  ])('%j is written as %j', (text, cell) => {
    expect(textCell(text)).toBe(cell)
  })

  it('begins no formula, for every separator of cells', () => {
    const piece = fc.constantFrom('=', '+', '-', '@', ';', '\t', '\r', '\n', '"', "'", ' ', 'a', '1', '＝')
    fc.assert(
      fc.property(fc.string({ unit: piece, maxLength: 20 }), (text) => {
        // Commas are quoted: no spreadsheet separates by them inside quotes.
        expect(seenCells(textCell(text)).filter(isFormula)).toEqual([])
      }),
    )
  })
})

describe('a cell of a number', () => {
  it.each(['-12.5', '0', '12345678901234567890.123456789'])('%s stays a number', (text) => {
    expect(numberCell(text)).toBe(text)
  })

  it.each(['-1+1', '-', '-cmd', '1e5', 'NaN', '=1'])('%s is text', (text) => {
    expect(numberCell(text)).toBe(textCell(text))
  })
})

describe('a line', () => {
  it('has text in quotes, numbers and flags plain, and nothing for null', () => {
    expect(csvLine(['a', '-1.5', 7, true, null], [false, true])).toBe('"a",-1.5,7,true,\r\n')
  })
})
