// Compares a documented command with the usage that the command's own --help prints: options that it does not have, and
// required ones or arguments that are missing.

/** A line of usage, such as `backup -- list --to FOLDER`. */
interface Form {
  readonly script: string
  /** In their order: words as they are written, and `null` for a value of the reader. */
  readonly words: readonly (string | null)[]
  /** Of each group, one must be there: `--bucket NAME|--local FOLDER`. */
  readonly required: readonly (readonly string[])[]
}

export interface Usage {
  readonly forms: readonly Form[]
  /** Every option that the help names, and whether a value follows it. */
  readonly options: ReadonlyMap<string, boolean>
}

export interface WrittenCommand {
  readonly script: string
  readonly args: readonly string[]
  /** The variables that the line sets, and those that the document exports. */
  readonly variables: readonly string[]
}

const variablesIn = (text: string): string[] => [...text.matchAll(/\b([A-Z][A-Z_]+)=/g)].map(([, name = '']) => name)

const isOption = (token: string): boolean => /^--[a-z]/.test(token)
const isPlaceholder = (token: string): boolean => /^[A-Z][A-Z_]*$/.test(token)

/** Removes `[…]`, also nested ones. */
function withoutOptional(text: string): string {
  const less = text.replaceAll(/\[[^[\]]*\](?:…|\.{3})?/g, ' ')
  return less === text ? text : withoutOptional(less)
}

function formOf(line: string): Form {
  const [, script = '', rest = ''] = /^npm run (?:-s )?([\w:-]*\w)(.*)$/.exec(line) ?? []
  const tokens = withoutOptional(rest)
    .split(/\s+/)
    .filter((token) => token !== '' && token !== '--')
  const words: (string | null)[] = []
  const required: string[][] = []
  for (const [index, token] of tokens.entries()) {
    const previous = tokens[index - 1] ?? ''
    if (isOption(token)) required.push([token])
    else if (/\|--/.test(token)) required.at(-1)?.push(token.slice(token.indexOf('|') + 1))
    else if (!isOption(previous) && !/\|--/.test(previous)) words.push(isPlaceholder(token) ? null : token)
  }
  return { script, words, required }
}

export function usageOf(help: string): Usage {
  const [synopsis = ''] = help.split('\n\n')
  // A line that is indented continues the one before; what two spaces separate from a form describes it.
  const lines = synopsis.replaceAll(/\n\s+/g, ' ').split('\n')
  const forms = lines.filter((line) => line.startsWith('npm run')).map((line) => formOf(line.split(/ {2,}/)[0] ?? ''))
  const options = new Map([...help.matchAll(/--[a-z][\w-]*/g)].map(([option]) => [option, false]))
  const withValue = [
    ...synopsis.matchAll(/(--[a-z][\w-]*) (?=[^\s[-])/g),
    ...help.matchAll(/^ +(--[a-z][\w-]*) (?=\S)/gm),
  ]
  for (const [, option = ''] of withValue) options.set(option, true)
  return { forms, options }
}

/** The commands of a document: those of code blocks and of code spans. One with `--help` is not compared. */
export function commandsIn(text: string): WrittenCommand[] {
  const blocks = [...text.matchAll(/^ *```\w*\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = '']) =>
    block.replaceAll(/\\\n\s*/g, '').split('\n'),
  )
  const spans = [...text.replaceAll(/^ *```\w*\n[\s\S]*?^ *```$/gm, '').matchAll(/`([^`]+)`/g)].map(
    ([, span = '']) => span,
  )
  const exported = blocks.filter((line) => line.trim().startsWith('export ')).flatMap(variablesIn)
  return [...blocks, ...spans].flatMap((line) => {
    const [before = ''] = line.split('npm run')
    const variables = [...exported, ...variablesIn(before)]
    const [, script, rest = ''] = /npm run (?:-s )?([\w:-]*\w)((?: [^|>#`;&)]*)?)/.exec(line) ?? []
    if (script === undefined || rest.includes('--help')) return []
    const args = [...rest.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([arg]) => arg).filter((arg) => arg !== '--')
    return [{ script, args, variables }]
  })
}

/** Splits the arguments into words and options, as the usage says which option takes a value. */
function partsOf(args: readonly string[], options: Usage['options']): { words: string[]; given: string[] } {
  const words: string[] = []
  const given: string[] = []
  for (const [index, arg] of args.entries()) {
    const previous = args[index - 1] ?? ''
    if (isOption(arg)) given.push(arg)
    else if (!(isOption(previous) && options.get(previous) === true)) words.push(arg)
  }
  return { words, given }
}

const matchesWords = (form: Form, words: readonly string[]): boolean =>
  form.words.length === words.length &&
  form.words.every((word, index) => word === null || word.split('|').includes(words[index] ?? ''))

/** What is wrong with a command; null if its usage allows it. */
export function misuseOf(
  { script, args }: Pick<WrittenCommand, 'script' | 'args'>,
  { forms, options }: Usage,
): string | null {
  const { words, given } = partsOf(args, options)
  const unknown = given.filter((option) => !options.has(option))
  if (unknown.length > 0) return `has no option ${unknown.join(', ')}`
  const mine = forms.filter((form) => form.script === script && matchesWords(form, words))
  if (mine.length === 0) return `has no form with the arguments "${words.join(' ')}"`
  const missing = mine.map(({ required }) =>
    required.filter((group) => !group.some((option) => given.includes(option))),
  )
  if (missing.some((groups) => groups.length === 0)) return null
  return `lacks ${missing[0]?.map((group) => group.join(' or ')).join(', ')}`
}
