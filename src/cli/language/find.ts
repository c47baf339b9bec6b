// Finds the texts in the project's files that people read, comments included, and the words in them that
// docs/glossary.md replaces. Pure.
import { bareVerb, fragment, words } from './words.ts'

export interface ReadText {
  readonly line: number
  readonly text: string
  readonly isTitle: boolean
  /** The title of a test outside of a group, which must name its subject. */
  readonly isAlone?: boolean
}

export interface Finding {
  readonly line: number
  readonly word: string
  readonly suggestion: string
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** A string literal, in the second group without its quotes. */
const literal = String.raw`(['"\x60])((?:\\.|(?!\1)[^\\])*)\1`

/** A title stands after `it(`, `describe(` or the table of an `each`. */
const title = new RegExp(String.raw`(?:\b(?:describe|it|test)|\))\(\s*${literal}\s*,`, 'g')

/** Titles of tests and of their groups. The formatter indents everything within a group. */
export function titlesOf(source: string): ReadText[] {
  return [...source.matchAll(title)].map((match) => {
    const before = source.slice(source.lastIndexOf('\n', match.index) + 1, match.index)
    return {
      line: lineAt(source, match.index),
      text: match[2] ?? '',
      isTitle: true,
      isAlone: !before.startsWith(' ') && !`${before}${match[0]}`.startsWith('describe'),
    }
  })
}

const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line)

/** A string that begins with a capital and has several words is for people; names, SQL and reasons for the log are not. */
const isSentence = (text: string): boolean => /^(?:\$\{[^}]*\}|[A-Z`])[^\n]*\s[a-z]/.test(text)

/** Texts in source code that people read: error details, e-mails, descriptions of fields. */
export function sentencesOf(source: string, isRead: (text: string) => boolean = isSentence): ReadText[] {
  return source.split('\n').flatMap((content, index) =>
    isComment(content)
      ? []
      : [...content.matchAll(new RegExp(literal, 'g'))]
          .map((match) => match[2] ?? '')
          .filter(isRead)
          .map((text) => ({ line: index + 1, text, isTitle: false })),
  )
}

const helpText = /\bhelp = `((?:\\.|[^`\\])*)`/gi
const flags = /--[\w-]+/g
const hasWords = (text: string): boolean => text.includes(' ')

/** Texts of a command: its help, by line, and the messages that it prints, which need not be sentences. */
export function commandTextsOf(source: string): ReadText[] {
  const help = [...source.matchAll(helpText)].flatMap((match) =>
    (match[1] ?? '')
      .replaceAll('\\`', '`')
      .split('\n')
      .map((text, index) => ({ line: lineAt(source, match.index) + index, text, isTitle: false })),
  )
  const messages = sentencesOf(
    source.replaceAll(helpText, (text) => text.replaceAll(/[^\n]/g, '')),
    hasWords,
  )
  return [...help, ...messages].map((one) => ({ ...one, text: one.text.replaceAll(flags, '…') }))
}

/** A block comment that begins its line, consecutive lines of `//` or `#`, or a comment after code. */
const comment = /^[ \t]*\/\*\*?[\s\S]*?\*\/|^[ \t]*(?:\/\/|#) .*(?:\n[ \t]*(?:\/\/|#) .*)*|[ \t](?:\/\/|#) .*/gm
const commentMarks = /^\s*(?:\/\*\*?|\/\/|\*\/|\*|#)\s?|\s*\*\/$/g
const namesAndAddresses = /@param \w+|https?:\/\/\S+/g

/** Comments in code, each as one text, so that a phrase may run over a line end. */
export function commentsOf(source: string): ReadText[] {
  return [...source.matchAll(comment)].map((match) => ({
    line: lineAt(source, match.index),
    text: match[0]
      .split('\n')
      .map((line) => line.replaceAll(commentMarks, ''))
      .join(' ')
      .replaceAll(namesAndAddresses, ''),
    isTitle: false,
  }))
}

/** Summaries and descriptions of the OpenAPI document, one a line as `npm run openapi` writes it. */
export function descriptionsOf(document: string): ReadText[] {
  return document.split('\n').flatMap((content, index) => {
    const text = /^\s*"(?:summary|description|title)": "(.*)",?$/.exec(content)?.[1]
    return text === undefined ? [] : [{ line: index + 1, text, isTitle: false }]
  })
}

/** The prose of a Markdown file, without its code. */
export function proseOf(markdown: string): ReadText[] {
  let isCode = false
  return markdown.split('\n').flatMap((content, index) => {
    const isFence = content.trimStart().startsWith('```')
    if (isFence) isCode = !isCode
    return isCode || isFence ? [] : [{ line: index + 1, text: content, isTitle: false }]
  })
}

/** Files whose strings reach users and clients. */
const spoken = /^src\/(?!db\/|dev\/|cli\/)/
/** Files whose strings reach those who run commands. */
const printed = /^src\/(?:cli|dev)\//

/** The texts of a file that people read, by its path. */
export function textsOf(path: string, content: string): ReadText[] {
  if (path === 'docs/openapi.json') return descriptionsOf(content)
  if (path.endsWith('.md')) return proseOf(content)
  const comments = commentsOf(content)
  if (path.startsWith('test/')) return [...titlesOf(content), ...comments]
  if (printed.test(path)) return [...comments, ...commandTextsOf(content)]
  return spoken.test(path) ? [...comments, ...sentencesOf(content)] : comments
}

const withoutCode = (text: string): string => text.replaceAll(/`[^`]*`|\$\{[^}]*\}/g, '…')

/** The words of a text that the table replaces, and a title that is half a sentence. */
export function findWords({ line, text, isTitle, isAlone = false }: ReadText): Finding[] {
  const found = words.flatMap(({ word, suggestion }) => {
    const [match] = word.exec(withoutCode(text)) ?? []
    return match === undefined ? [] : [{ line, word: match, suggestion }]
  })
  const [opening] = (isTitle && fragment.exec(text)) || []
  if (opening !== undefined)
    return [{ line, word: opening, suggestion: 'begin with a finite verb or with the subject' }, ...found]
  const [verb] = (isAlone && bareVerb.exec(text)) || []
  if (verb !== undefined)
    return [{ line, word: verb, suggestion: 'begin with the subject, outside of a group' }, ...found]
  return found
}

/** All findings of a file. */
export function findInFile(path: string, content: string): Finding[] {
  return textsOf(path, content).flatMap(findWords)
}
