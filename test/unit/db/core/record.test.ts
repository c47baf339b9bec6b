// What is derived from the declaration of an entity: the lists of its statements, and its incoming rows as parameters.
import { getTableColumns, sql } from 'drizzle-orm'
import { boolean, integer, numeric, PgDialect, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { describe, expect, it } from 'vitest'
import { entity, upsert } from '../../../../src/db/core/record.ts'

const things = pgTable('things', {
  id: uuid().notNull(),
  plaidThingId: text('plaid_thing_id').notNull(),
  unitPrice: numeric('unit_price'),
  isNew: boolean('is_new').notNull(),
  tags: text().array().notNull(),
  note: text(),
})
const staged = pgTable('staged', { seq: integer().notNull() })
const thing = entity({
  ids: { seq: staged.seq, plaidThingId: things.plaidThingId },
  table: getTableColumns(things),
  own: ['id', 'note'],
})

const dialect = new PgDialect()
const textOf = (fragment: ReturnType<typeof thing.list>) => {
  const built = dialect.sqlToQuery(fragment)
  return { text: built.sql.replaceAll(/\s+/g, ' '), params: built.params }
}

describe('an entity', () => {
  it('lists the stored columns that come from Plaid, under their own names', () => {
    expect(textOf(thing.list()).text).toBe('unit_price, is_new, tags')
    expect(textOf(thing.list('i.', { is_new: sql`not i.is_old` })).text).toBe('i.unit_price, not i.is_old, i.tags')
    expect(textOf(thing.updates).text).toBe(
      'unit_price = excluded.unit_price, is_new = excluded.is_new, tags = excluded.tags',
    )
  })

  it('reads incoming rows from one JSON parameter, ids first, each column with its type', () => {
    const row = { seq: 1, plaid_thing_id: 'a', unit_price: '1.10', is_new: true, tags: ['x'] }
    expect(textOf(thing.recordset([row]))).toEqual({
      text:
        'jsonb_to_recordset($1::jsonb) as ' +
        'r(seq integer, plaid_thing_id text, unit_price numeric, is_new boolean, tags text[])',
      params: [JSON.stringify([row])],
    })
  })

  it('reads incoming rows from one array a column, null for a field that a row lacks', () => {
    const { text: found, params } = textOf(thing.unnest([{ seq: 1, plaid_thing_id: 'a' }, { is_new: false }]))
    expect(found).toContain('$1::integer[], $2::text[], $3::numeric[], $4::boolean[]')
    expect(params.slice(0, 4)).toEqual(['{1,null}', '{"a",null}', '{null,null}', '{null,false}'])
  })

  it('refuses a value that needs one array for each row', () => {
    expect(() => thing.unnest([{ tags: ['x'] }])).toThrow('tags is not scalar')
  })

  it('is inserted, and updated only where a column differs', () => {
    const statement = upsert(thing, {
      table: 'things',
      as: 't',
      own: { id: sql`id`, plaid_thing_id: sql`plaid_thing_id` },
      key: ['plaid_thing_id'],
      updated: ['id'],
      from: sql`incoming`,
      order: ['plaid_thing_id'],
      set: sql`note = null`,
      or: sql`t.note is not null`,
    })
    expect(textOf(statement).text).toBe(
      'insert into things as t (id, plaid_thing_id, unit_price, is_new, tags) ' +
        'select id, plaid_thing_id, unit_price, is_new, tags from incoming order by plaid_thing_id ' +
        'on conflict (plaid_thing_id) do update set id = excluded.id, unit_price = excluded.unit_price, ' +
        'is_new = excluded.is_new, tags = excluded.tags, note = null ' +
        'where (t.unit_price, t.is_new, t.tags) is distinct from (excluded.unit_price, excluded.is_new, excluded.tags) ' +
        'or t.id is distinct from excluded.id or t.note is not null',
    )
  })
})
