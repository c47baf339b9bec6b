import { expect, test } from 'vitest'
import { nameOfBatch } from '../../../src/db/core/statement-name.ts'

test.each([
  ['select', ['select a.id from accounts a join items i on true where a.id = $1'], 'select accounts'],
  ['insert', ['insert into "link_sessions" ("id") values ($1)'], 'insert link_sessions'],
  [
    'update behind a query',
    ['with due as (select id from items for update skip locked) update items set x = $1'],
    'update items',
  ],
  [
    'upsert',
    ['with x as (select 1 from y) insert into accounts (id) select id from x on conflict do update set a = 1'],
    'insert accounts',
  ],
  ['query that locks', ['select id from users where id = $1 for no key update'], 'select users'],
  ['delete', ['delete from webhook_keys where kid = $1'], 'delete webhook_keys'],
  ['function', ['select app.give_up_removals($1) as count'], 'call app.give_up_removals'],
  ['something else', ["set local statement_timeout = '5s'"], 'other'],
  ['no statement', [], 'other'],
])('the name of a batch is that of its %s', (_, texts, name) => {
  expect(nameOfBatch(texts)).toBe(name)
})

test('the name of a batch passes over the user and the row of the audit trail', () => {
  const texts = ['select app.enter($1, $2, $3) as id', 'select app.record_audit($1)', 'select 1 from items']
  expect(nameOfBatch(texts)).toBe('select items')
  expect(nameOfBatch(texts.slice(0, 2))).toBe('call app.enter')
})

test('the name of a hostile statement is found in linear time', () => {
  const text = `${'for '.repeat(100_000)}${' '.repeat(100_000)}`
  const startedAt = performance.now()
  nameOfBatch([text, `select ${'from '.repeat(100_000)}`])
  expect(performance.now() - startedAt).toBeLessThan(200)
})
