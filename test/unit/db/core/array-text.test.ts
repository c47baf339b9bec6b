// The text form of arrays, read back by PostgreSQL.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { arrayText } from '../../../../src/db/core/array-text.ts'
import { query } from '../../../support/sql.ts'
import { connectStack, type TestDatabase } from '../../../support/stack.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase

beforeAll(async () => {
  database = await stack.createDatabase()
})
afterAll(() => stack.dropDatabase(database.name))

async function readBack(values: Parameters<typeof arrayText>[0], type: string): Promise<unknown> {
  const text = `select to_jsonb($1::${type}[]) as found`
  const [row] = await query(database.endpoint, database.ownerUrl, text, [arrayText(values)])
  return JSON.parse(row?.['found'] ?? '')
}

/** PostgreSQL stores neither NUL nor halves of surrogate pairs; src/exact-json.ts removes them before. */
const anyText = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''))
const awkward = fc.constantFrom(
  '',
  ' ',
  'null',
  'NULL',
  '"',
  '\\',
  '\\n',
  '\\u0041',
  '\\"',
  '{}',
  ',',
  '\n',
  '\u0001',
  '\u007F',
)
const element = fc.oneof(
  anyText,
  fc.array(awkward).map((parts) => parts.join('')),
  fc.constant(null),
)

test('PostgreSQL reads every text and every null as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(element, { maxLength: 50 }), async (values) => {
      expect(await readBack(values, 'text')).toEqual(values)
    }),
    { numRuns: 100 },
  )
})

test('PostgreSQL reads numbers, booleans and decimal text by the type of the cast', async () => {
  expect(await readBack([1, null, -2_147_483_648], 'integer')).toEqual([1, null, -2_147_483_648])
  expect(await readBack([true, false, null], 'boolean')).toEqual([true, false, null])
  expect(await readBack(['0.10', '-12345678901234.5'], 'numeric')).toEqual([0.1, -12_345_678_901_234.5])
})

test('a number that JSON writes as null is refused', () => {
  expect(() => arrayText([1, Number.NaN])).toThrow('not finite')
})
