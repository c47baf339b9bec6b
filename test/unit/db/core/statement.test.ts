// Batches by name: which statements run in which order, and how their rows are parsed.
import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { bigCount, command, idRow, partsOf, query, resultsOf } from '../../../../src/db/core/statement.ts'

const one = command(sql`select 1`)
const ids = query(idRow, sql`select id from items`)
const counts = query(z.object({ n: bigCount }), sql`select count(*) as n from items`)

describe('a batch', () => {
  it('runs its statements in the order of their names, lists in their place, and leaves out null', () => {
    const batch = { first: one, none: null, list: [ids, one], last: counts }
    expect(partsOf(batch).map(({ statement }) => statement)).toEqual([one, ids, one, counts])
  })

  it('returns parsed rows by name, with other statements between them', () => {
    const batch = { none: null, ids, list: [one, one], empty: [], counts }
    const answers = [{ rows: [{ id: 'a' }, { id: 'b' }] }, { rows: [{}] }, { rows: [{}] }, { rows: [{ n: '7' }] }]
    const results = resultsOf(batch, partsOf(batch), answers)
    expect(results).toEqual({ none: [], ids: ['a', 'b'], list: [], empty: [], counts: [{ n: 7 }] })
  })

  it('reads only the rows of its statements when others run before them', () => {
    const parts = [...partsOf({ before: [one] }), ...partsOf({ ids })]
    expect(resultsOf({ ids }, parts, [{ rows: [{ id: 'no' }] }, { rows: [{ id: 'a' }] }]).ids).toEqual(['a'])
  })

  it('refuses a row that is not as declared, and names the field without its value', () => {
    const read = () => resultsOf({ ids }, partsOf({ ids }), [{ rows: [{ id: 4711 }] }])
    expect(read).toThrow(expect.objectContaining({ code: 'internal', reason: 'a row of ids: id invalid_type' }))
  })
})
