import { describe, expect, test } from 'vitest'
import { parseBearer } from '../../../src/auth/bearer.ts'

describe('the Authorization header', () => {
  test.each([
    ['Bearer abc.def.ghi', 'abc.def.ghi'],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
    ['Bearer a-b._~+/c==', 'a-b._~+/c=='],
  ])('%j gives its token', (header, token) => {
    expect(parseBearer(header)).toBe(token)
  })

  test.each([
    null,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'abc',
    'Bearer abc def',
    'Bearer abc, Bearer def',
    'Bearer abc ',
    ' Bearer abc',
    'Bearer\tabc',
    'Bearer a=b',
    'Bearer ünïcode',
    'Bearer abc\n',
    `Bearer ${'a'.repeat(8192)}`,
  ])('%j gives none', (header) => {
    expect(parseBearer(header)).toBeNull()
  })
})
