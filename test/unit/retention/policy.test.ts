// The retention policy compared with the schema and the documentation: each table has a line, and each line is what the page shows.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { classesBy, type DataClass, daysOf, isClass, policy } from '../../../src/retention/policy.ts'
import { query } from '../../support/sql.ts'
import { connectStack, type TestDatabase } from '../../support/stack.ts'
import { everyTable } from '../../support/tables.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase
beforeAll(async () => {
  database = await stack.createDatabase()
})
afterAll(() => stack.dropDatabase(database.name))

const lines: [string, DataClass][] = Object.entries(policy)

const sql = (text: string, params: readonly unknown[] = []) => query(database.endpoint, database.ownerUrl, text, params)

const listed = () => new Set(lines.flatMap(([, { tables }]) => tables))

describe('the retention policy', () => {
  it('has a line for every table of the database, and names no other table', async () => {
    expect([...listed()].toSorted()).toEqual((await everyTable(sql)).toSorted())
  })

  it('lacks a line for a table that a migration adds', async () => {
    await sql('create table identity.unlisted (id uuid primary key)')
    expect((await everyTable(sql)).filter((table) => !listed().has(table))).toEqual(['identity.unlisted'])
    await sql('drop table identity.unlisted')
  })

  it('keeps what a rule of the database deletes for at least as long as the rule demands', async () => {
    const shortest = { days: 731, removedDays: 0 }
    for (const name of [...classesBy('rows'), ...classesBy('history'), ...classesBy('feed'), ...classesBy('audit')]) {
      const [rule] = await sql('select kind, relation::text as relation, floor_days from app.retention_rule($1)', [
        name,
      ])
      expect([name, rule?.['kind'], `public.${rule?.['relation']}`]).toEqual([
        name,
        policy[name].purge,
        policy[name].tables[0],
      ])
      expect(daysOf(name, shortest)).toBeGreaterThanOrEqual(Number(rule?.['floor_days']))
    }
  })

  it('is the table of docs/retention.md', async () => {
    const rows = lines.map(
      ([, { tables, days, from, reason, readers }]) =>
        `| ${tables.map((table) => `\`${table}\``).join(' ')} | ${typeof days === 'string' ? `\`${days}\`` : (days ?? '–')} | ${from} | ${reason} | ${readers.join(', ')} |`,
    )
    const page = await readFile('docs/retention.md', 'utf8')
    expect(page.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
  })

  it('knows its own names alone', () => {
    expect(isClass('sync_runs')).toBe(true)
    for (const name of ['constructor', 'toString', 'sync']) expect(isClass(name)).toBe(false)
  })
})
