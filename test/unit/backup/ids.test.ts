// The ids of backups, which begin with the time of the snapshot.
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { backupId, backupTime, idPattern } from '../../../src/backup/format.ts'

it('an id names the time of its backup, to the second', () => {
  const created = new Date('2026-11-29T02:11:07.890Z')
  const id = backupId(created, new Uint8Array([1, 2, 3, 254]))
  expect(id).toBe('20261129T021107Z-010203fe')
  expect(backupTime(id).toISOString()).toBe('2026-11-29T02:11:07.000Z')
})

it('every text that is taken for an id has a time that PostgreSQL can store', () => {
  const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`))
  const text = fc.tuple(digits(8), digits(6)).map(([day, time]) => `${day}T${time}Z-00000000`)
  const near = fc
    .tuple(
      fc.integer({ min: 1990, max: 2110 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      digits(6),
    )
    .map(
      ([year, month, day, time]) =>
        `${year}${String(month).padStart(2, '0')}${String(day).padStart(2, '0')}T${time}Z-00000000`,
    )
  fc.assert(
    fc.property(fc.oneof(text, near), (id) => {
      if (!idPattern.test(id)) return
      const at = backupTime(id).getTime()
      expect([id, at >= Date.UTC(2000, 0, 1) && at < Date.UTC(2100, 0, 1)]).toEqual([id, true])
    }),
    {
      numRuns: 20_000,
      examples: [['00000000T000000Z-00000000'], ['20260100T000000Z-00000000'], ['20261129T021107Z-00000000']],
    },
  )
})
