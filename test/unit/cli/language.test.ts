// The language check with invented files: which texts it reads and which words it finds.
import { describe, expect, it } from 'vitest'
import { findInFile } from '../../../src/cli/language/find.ts'

const wordsOf = (path: string, content: string): string[] =>
  findInFile(path, content).map(({ line, word }) => `${line} ${word}`)

describe('the language check', () => {
  it.each([
    ['a title', "test('the log is told why', run)", ['1 told']],
    ['the title of a group', "describe('a page of ours', () => {})", ['1 of ours']],
    ['the title after a table', "it.each([\n  ['a'],\n])(\n  'tokens of %s for whoever asks', run)", ['3 whoever']],
    ['a title that begins with a conjunction', "it('that is absent is the beginning', run)", ['1 that']],
    ['a title that begins with a preposition', 'it(`of %s gives nothing`, run)', ['1 of']],
    ['a title without a subject outside of a group', "it('returns nothing', run)", ['1 returns']],
    ['such a title after a table', "it.each([\n  ['a'],\n])('refuses %s', run)", ['3 refuses']],
  ])('reads %s', (_what, source, found) => {
    expect(wordsOf('test/unit/made-up.test.ts', source)).toEqual(found)
  })

  it.each([
    [
      'an error detail',
      "throw new AppError('conflict', 'Somebody else goes on with it.')",
      ['1 Somebody else', '1 goes on'],
    ],
    ['a description of a field', "id.describe('What nobody told.')", ['1 told', '1 nobody']],
    ['a template', 'const detail = `${name} is told.`', ['1 told']],
  ])('reads %s', (_what, source, found) => {
    expect(wordsOf('src/http/made-up.ts', source)).toEqual(found)
  })

  it.each([
    ['help of a command', 'const help = `npm run made-up\n\nTold whoever asks.`', ['3 Told', '3 whoever']],
    ['a printed message', "say('nobody is there')", ['1 nobody']],
    ['a reason that a command prints', 'throw new Error(`the page answers ${status}`)', ['1 answers']],
  ])('reads %s', (_what, source, found) => {
    expect(wordsOf('src/cli/made-up.ts', source)).toEqual(found)
    expect(wordsOf('src/dev/made-up.ts', source)).toEqual(found)
  })

  it.each([
    ['a flag', 'const help = `npm run made-up -- --require-answer`'],
    ['a command in help', 'const help = `\\`made-up told\\` does it.`'],
    ['a name', "const name = 'told'"],
  ])('ignores %s of a command', (_what, source) => {
    expect(wordsOf('src/cli/made-up.ts', source)).toEqual([])
  })

  it('lets a title within a group begin with a verb, whose subject the group names', () => {
    const source = "describe('a list', () => {\n  it('returns nothing', run)\n})"
    expect(wordsOf('test/unit/made-up.test.ts', source)).toEqual([])
  })

  it.each([
    ['a line comment', 'const one = 1\n// Somebody asks.', ['2 Somebody']],
    ['a comment after code', 'const one = 1 // Nobody asks.', ['1 Nobody']],
    ['a block comment', 'const one = 1\n\n  /** Whoever asks. */', ['3 Whoever']],
    ['a phrase over a line end', '/**\n * A limit of\n * its own.\n */', ['1 of its own']],
  ])('reads %s', (_what, source, found) => {
    expect(wordsOf('src/db/made-up.ts', source)).toEqual(found)
    expect(wordsOf('drizzle/made-up.ts', source)).toEqual(found)
    expect(wordsOf('test/worker/made-up.ts', source)).toEqual(found)
  })

  it.each(['.ci/made-up', 'wrangler.toml'])('reads the comments of %s', (path) => {
    expect(wordsOf(path, 'run # the news\n# Nobody asks.')).toEqual(['1 the news', '2 Nobody'])
  })

  it.each([
    ['code in a comment', '// Returns `answer`, see https://example.com/answer.'],
    ['the name of a parameter', '/** @param answer the response */'],
    ['answers to questions of a bank', '// MFA answers are never stored.'],
    ['objects of the platform that wake up', '// Only a request wakes the object.'],
    ['reasons for the log', "const reason = 'nobody asked'"],
    ['identifiers', "const told = 'told'"],
  ])('ignores %s', (_what, source) => {
    expect(wordsOf('src/http/made-up.ts', source)).toEqual([])
  })

  it('reads summaries and descriptions of the API, and no property names', () => {
    const document = '{\n  "summary": "Wake a dead letter",\n  "told": 1,\n  "description": "Returns a mail."\n}'
    expect(wordsOf('docs/openapi.json', document)).toEqual(['2 Wake', '4 mail'])
  })

  it('reads prose, and neither code blocks nor code spans', () => {
    const page = 'Nobody knows.\n```\nsomebody is told\n```\nThe column `told` and `somebody`.'
    expect(wordsOf('docs/made-up.md', page)).toEqual(['1 Nobody'])
  })

  it('suggests another word', () => {
    expect(findInFile('docs/made-up.md', 'It goes on.')).toEqual([
      { line: 1, word: 'goes on', suggestion: 'continues' },
    ])
  })
})
