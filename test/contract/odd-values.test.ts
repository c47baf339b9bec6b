// Plaid's own examples, changed one value at a time: absent, null, empty or of an odd form.
import { expect, test } from 'vitest'
import { expectRowsAlone, reads } from '../support/odd-values.ts'
import { readDescription } from './description.ts'

const { examples } = readDescription()
const tried = examples.flatMap((example) => {
  const read = reads.find(({ path }) => path === example.path)
  return read === undefined ? [] : [{ ...example, read }]
})

test('Plaid’s description has an example of every response that is read', () => {
  expect(new Set(tried.map(({ path }) => path))).toEqual(new Set(reads.map(({ path }) => path)))
})

test.each(tried)('one odd value in $path ($name) costs at most its own row', ({ read, value }) => {
  expect(expectRowsAlone(read, value)).toBeGreaterThan(0)
})
