// docs/data-map.md has every column of the database, with a purpose.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { needless, renderDataMap } from '../../../src/cli/data-map/render.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { query } from '../../support/sql.ts'
import { connectStack, type TestDatabase } from '../../support/stack.ts'
import { everyTable } from '../../support/tables.ts'

const stack = connectStack(inject('control'))
let database: TestDatabase
beforeAll(async () => {
  database = await stack.createDatabase()
})
afterAll(() => stack.dropDatabase(database.name))
const sql = (text: string, params: readonly unknown[] = []) => query(database.endpoint, database.ownerUrl, text, params)

/** `table column` of each line of the page. */
function describedIn(page: string): string[] {
  return page.split(/^## /m).flatMap((section) => {
    const [name = ''] = section.split('\n')
    return [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, column]) => `${name} ${column}`)
  })
}

describe('the data map', () => {
  it('is the page in docs', async () => {
    expect(renderDataMap()).toBe(await readFile(join(projectFolder, 'docs/data-map.md'), 'utf8'))
  })

  it('has every column of every table of the database, and no other', async () => {
    const rows = await sql(
      `select format('%I.%I', table_schema, table_name) as name, column_name from information_schema.columns`,
    )
    const tables = new Set(await everyTable(sql))
    const stored = rows
      .filter(({ name }) => tables.has(String(name)))
      .map((row) => `${row['name']} ${row['column_name']}`)
    expect(describedIn(renderDataMap()).toSorted()).toEqual(stored.toSorted())
  })

  it('names the column that has no purpose, the table that has no retention, and the purpose without a column', () => {
    const users = { name: 'public.users', columns: ['id', 'shoe_size'] }
    expect(() => renderDataMap([users])).toThrow('public.users.shoe_size')
    expect(() => renderDataMap([{ name: 'public.shoes', columns: ['id'] }])).toThrow('public.shoes')
    expect(needless([users])).toContain('public.users.issuer')
    expect(needless()).toEqual([])
  })
})
