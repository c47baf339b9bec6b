// Splits the text of a migration into statements whose words can be compared: without comments, without the contents of
// strings, names in lower case. The code of a function is data, that of a DO block runs at once.

export interface Statement {
  /** The words of the statement, without strings and function bodies. */
  readonly text: string
  /** What runs inside it: the code of a DO block, and every string in that, which EXECUTE could run. */
  readonly inner: readonly string[]
}

const token =
  /--[^\n]*|\/\*|(?<![\w$])e'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$])\$(?<tag>[a-z_\u0080-\uffff]\w*)?\$|;|[^-/'"$;e]+|./giy

interface Piece {
  readonly kind: 'code' | 'text' | 'end' | 'gap'
  readonly value: string
}

/** The end of a block comment, which can contain others. */
function commentEnd(sql: string, start: number): number {
  let depth = 1
  let at = start
  while (depth > 0 && at < sql.length) {
    const opens = sql.indexOf('/*', at)
    const closes = sql.indexOf('*/', at)
    if (closes === -1) return sql.length
    const isOpen = opens !== -1 && opens < closes
    depth += isOpen ? 1 : -1
    at = (isOpen ? opens : closes) + 2
  }
  return at
}

function* pieces(sql: string): Generator<Piece> {
  token.lastIndex = 0
  let at = 0
  while (at < sql.length) {
    token.lastIndex = at
    const found = token.exec(sql)?.[0] ?? sql.charAt(at)
    at += found.length
    if (found.startsWith('--')) yield { kind: 'gap', value: ' ' }
    else if (found === '/*') {
      at = commentEnd(sql, at)
      yield { kind: 'gap', value: ' ' }
    } else if (/^e?'/i.test(found))
      yield { kind: 'text', value: found.slice(found.indexOf("'") + 1, -1).replaceAll("''", "'") }
    else if (/^\$\w*\$$/.test(found)) {
      const end = sql.indexOf(found, at)
      yield { kind: 'text', value: sql.slice(at, end === -1 ? sql.length : end) }
      at = end === -1 ? sql.length : end + found.length
    } else if (found === ';') yield { kind: 'end', value: found }
    else yield { kind: 'code', value: found }
  }
}

/** A quoted name loses its quotes: `"Items"` and `items` are the same to this check, which is the careful side. */
const plain = (code: string): string => code.replaceAll('"', '')

/** Every string inside a text, and in those: EXECUTE runs strings. */
function stringsIn(sql: string): string[] {
  return [...pieces(sql)].filter(({ kind }) => kind === 'text').flatMap(({ value }) => [value, ...stringsIn(value)])
}

export function statementsOf(sql: string): Statement[] {
  const statements: Statement[] = []
  let words = ''
  let texts: string[] = []
  const finish = (): void => {
    const text = words.replaceAll(/\s+/g, ' ').trim().toLowerCase()
    if (text !== '')
      statements.push({ text, inner: /^do\b/.test(text) ? texts.flatMap((code) => [code, ...stringsIn(code)]) : [] })
    words = ''
    texts = []
  }
  for (const { kind, value } of pieces(sql)) {
    if (kind === 'end') finish()
    else if (kind === 'text') {
      texts.push(value)
      words += " '' "
    } else words += plain(value)
  }
  finish()
  return statements
}
