// CSV for spreadsheets (RFC 4180), in which no cell is executed as a formula (OWASP, "CSV injection"; ASVS 5.0, 1.2.10).

export type Cell = string | number | boolean | null

/** Excel reads a file without it in the code page of the machine. */
export const byteOrderMark = '\uFEFF'

/**
 * Where a spreadsheet may begin to read a formula, also in full width: at the start of a cell, and after a semicolon, a
 * tab or a line end, because some locales separate cells by these even within quotes.
 */
const formulaStart = /(?<=(?:^|[;\t\r\n])[\s"']*)[=+\-@＝＋－＠]/g
const controlStart = /^(?=[\t\r\n\0])/

const decimal = /^-?\d+(\.\d+)?$/

/** Text in quotes. An apostrophe before the first character of a formula turns it into text. */
export function textCell(text: string): string {
  const inert = text.replaceAll(formulaStart, "'$&").replace(controlStart, "'")
  return `"${inert.replaceAll('"', '""')}"`
}

/** A decimal as a number: a spreadsheet adds up a negative amount, and a number alone is no formula. */
export function numberCell(text: string): string {
  return decimal.test(text) ? text : textCell(text)
}

function cellText(value: Cell, isNumeric: boolean): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  return isNumeric ? numberCell(value) : textCell(value)
}

/** @param numeric whether the column holds decimals as text */
export function csvLine(cells: readonly Cell[], numeric: readonly boolean[] = []): string {
  return `${cells.map((value, index) => cellText(value, numeric[index] ?? false)).join(',')}\r\n`
}
