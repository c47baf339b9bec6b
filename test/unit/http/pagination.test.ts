import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { dayCursor, keyCursor } from '../../../src/http/pagination.ts'
import { asUser, serveApp, problemOf } from './serve-app.ts'

const day = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
const dayText = day.map((date) => date.toISOString().slice(0, 10))
const lists = { day: dayText, instant: day.map((date) => date.toISOString()), id: fc.uuid() }

function refusalOf(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error instanceof AppError ? error.code : error
  }
}

describe('a cursor', () => {
  it.each(['day', 'instant', 'id'] as const)(
    'returns the place it was created from, in a list sorted by %s',
    (sortedBy) => {
      const cursor = keyCursor('list', sortedBy)
      fc.assert(
        fc.property(lists[sortedBy], fc.uuid(), (value, id) => {
          const text = cursor.write([value, id])
          expect(text).toMatch(/^[A-Za-z0-9_-]+$/)
          expect(cursor.read(text)).toEqual([value, id])
        }),
      )
    },
  )

  it('returns its day in a list of days', () => {
    const cursor = dayCursor('days')
    fc.assert(
      fc.property(dayText, (value) => {
        expect(cursor.read(cursor.write(value))).toBe(value)
      }),
    )
  })

  it('starts at the first row when it is absent', () => {
    expect(keyCursor('list', 'day').read(undefined)).toBeNull()
  })

  it('is refused by another list', () => {
    const id = '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11'
    const ofOne = keyCursor('one', 'day').write(['2026-01-01', id])
    expect(refusalOf(() => keyCursor('another', 'day').read(ofOne))).toBe('invalid_cursor')
    expect(refusalOf(() => dayCursor('one').read(ofOne))).toBe('invalid_cursor')
    expect(refusalOf(() => keyCursor('one', 'instant').read(ofOne))).toBe('invalid_cursor')
  })

  it('is refused when it is invented', () => {
    const cursor = keyCursor('list', 'day')
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        expect(refusalOf(() => cursor.read(text))).toBe('invalid_cursor')
      }),
    )
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(refusalOf(() => cursor.read(Buffer.from(json).toString('base64url')))).toBe('invalid_cursor')
      }),
    )
  })

  it.each([
    ['a day that there is not', ['transactions', ['2026-02-31', '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11']]],
    ['SQL for a day', ['transactions', ["2026-01-01'; --", '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11']]],
    ['no id', ['transactions', ['2026-01-01', '1']]],
    ['one member more', ['transactions', ['2026-01-01', '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11', 1]]],
    ['another list', ['items', ['2026-01-01', '3f0e8a52-6a1e-4c8c-9d5a-0c1f5b0b7a11']]],
  ])('is refused with %s', async (_name, place) => {
    const text = Buffer.from(JSON.stringify(place)).toString('base64url')
    const response = await serveApp().ask(`/api/v1/transactions?cursor=${text}`, { headers: await asUser() })
    expect(await problemOf(response)).toMatchObject({
      status: 400,
      code: 'invalid_cursor',
      errors: [{ parameter: 'cursor' }],
    })
  })

  it.each([
    'transactions',
    'accounts',
    'holdings',
    'liabilities',
    'investments/transactions',
    'plaid/items',
    'plaid/sync/runs',
  ])('is checked by the list of %s', async (path) => {
    const response = await serveApp().ask(`/api/v1/${path}?cursor=x`, { headers: await asUser() })
    expect(await problemOf(response)).toMatchObject({ status: 400, code: 'invalid_cursor' })
  })
})
