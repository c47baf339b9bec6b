import { getTableColumns, getTableName } from 'drizzle-orm'
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core'
import { describe, expect, it } from 'vitest'
import { columnsOf } from '../../../src/db/privacy/export.ts'
import {
  exportedLogins,
  exportedTables,
  leftOutOfLogins,
  leftOutTables,
} from '../../../src/db/privacy/exported-tables.ts'
import { schemaTables } from '../../support/schema-tables.ts'

const tables = await schemaTables()
const isLogin = (table: PgTable): boolean => getTableConfig(table).schema === 'identity'
const data = tables.filter((table) => !isLogin(table))

describe('the export', () => {
  it('reads every table of the schema, or leaves it out for a reason', () => {
    expect(tables.length).toBeGreaterThan(20)
    const named = [...Object.keys(exportedTables), ...Object.keys(leftOutTables)]
    expect(named.toSorted()).toEqual(data.map((table) => getTableName(table)).toSorted())
    for (const reason of Object.values(leftOutTables)) expect(reason).toMatch(/^.{20,}\.$/)
  })

  it('leaves out no table that names its user, except erasures and pages of a sync in progress', () => {
    const ofUsers = data.filter((table) => Object.values(getTableColumns(table)).some(({ name }) => name === 'user_id'))
    const missing = ofUsers.map((table) => getTableName(table)).filter((name) => !Object.hasOwn(exportedTables, name))
    expect(missing.toSorted()).toEqual(['erasures', 'investment_staging', 'sync_staging'])
  })

  it.each(Object.entries(exportedTables))(
    'reads every column of %s, or leaves it out for a reason',
    (name, exported) => {
      expect(getTableName(exported.table)).toBe(name)
      const { leftOut = {} } = exported
      const columns = Object.values(getTableColumns(exported.table)).map((column) => column.name)
      const read = columnsOf(exported).map((column) => column.name)
      expect([...read, ...Object.keys(leftOut)].toSorted()).toEqual(columns.toSorted())
      for (const reason of Object.values(leftOut)) expect(reason).toMatch(/^.{20,}\.$/)
    },
  )

  it('reads no sealed value and no hash', () => {
    const read = Object.values(exportedTables).flatMap((exported) => columnsOf(exported).map(({ name }) => name))
    expect(read.filter((name) => /sealed|digest|hash|secret|cursor/.test(name))).toEqual([])
  })

  it('reads every column of a built-in account, or leaves it out for a reason', () => {
    const sets: Record<string, readonly string[]> = {
      accounts: exportedLogins.login,
      sessions: exportedLogins.login_sessions,
      registrations: exportedLogins.login_registrations,
      password_resets: exportedLogins.login_password_resets,
      recovery_codes: [],
      throttles: [],
    }
    for (const table of tables.filter(isLogin)) {
      const name = getTableName(table)
      const columns = Object.values(getTableColumns(table)).map((column) => column.name)
      const leftOut = Object.keys(leftOutOfLogins).flatMap((path) =>
        path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : [],
      )
      const read = (sets[name] ?? []).filter((column) => column !== 'unused_recovery_codes')
      expect([name, [...read, ...leftOut].toSorted()]).toEqual([name, columns.toSorted()])
    }
  })
})
