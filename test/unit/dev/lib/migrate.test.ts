// Migrations: alone, twice at once, and with one that fails.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrate } from '../../../../src/dev/lib/migrate.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { type Postgres, startPostgres } from '../../../../src/dev/postgres/server.ts'
import { queryDirectly as query } from '../../../support/query-directly.ts'

let server: Postgres

beforeAll(async () => {
  server = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
}, 60_000)
afterAll(() => server.stop())

describe('migrate', () => {
  it('can run twice, and twice at once', async () => {
    await query(server.url, 'CREATE DATABASE twice')
    const url = server.url.replace(/\/wealthnavigator$/, '/twice')
    await Promise.all([migrate(url), migrate(url)])
    await migrate(url)
    const rows = await query(url, 'SELECT count(*) = count(DISTINCT hash) AS once FROM drizzle.__drizzle_migrations')
    expect(rows).toEqual([{ once: true }])
  })

  it("refuses Neon's pooler, where session locks do not hold", async () => {
    await expect(migrate('postgres://u:p@ep-a-pooler.eu.aws.neon.tech/d')).rejects.toThrow('-pooler')
  })

  it('rolls back a migration that fails, keeps those before it, and continues there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
    await query(server.url, 'CREATE DATABASE halfway')
    const url = server.url.replace(/\/wealthnavigator$/, '/halfway')
    const entries = ['0000_first', '0001_second'].map((tag, idx) => ({ idx, version: '7', when: idx + 1, tag }))
    const tables = async () =>
      await query(url, "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE 'half%' ORDER BY 1")
    try {
      await expect(migrate(url, folder)).rejects.toThrow('_journal.json')
      await mkdir(join(folder, 'meta'))
      await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ entries }))
      await writeFile(join(folder, '0000_first.sql'), 'CREATE TABLE half_one ()')
      const second = join(folder, '0001_second.sql')
      await writeFile(second, 'CREATE TABLE half_two ();--> statement-breakpoint\nSELECT 1 / 0')
      await expect(migrate(url, folder)).rejects.toThrow('division by zero')
      expect(await tables()).toEqual([{ name: 'half_one' }])
      await writeFile(second, 'CREATE TABLE half_two ()')
      await migrate(url, folder)
      await migrate(url, folder)
      expect(await tables()).toEqual([{ name: 'half_one' }, { name: 'half_two' }])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('lets readers continue while the keys of ownership are built, and lets writers wait', async () => {
    const text = await readFile(join(projectFolder, 'migrations/0008_ownership_keys.sql'), 'utf8')
    const statements = text
      .split('--> statement-breakpoint')
      .map((statement) => statement.replace(/^--.*$/gm, '').trim())
    const slow = statements.map((statement) => /^CREATE (UNIQUE )?INDEX|FOREIGN KEY/.test(statement))
    const excluding = statements.map((statement) => /^DROP|DROP CONSTRAINT|UNIQUE USING INDEX/.test(statement))
    expect(statements[0]).toMatch(/^LOCK TABLE/)
    expect(slow.filter(Boolean)).toHaveLength(26)
    expect(excluding.filter(Boolean)).toHaveLength(26)
    expect(excluding.indexOf(true)).toBeGreaterThan(slow.lastIndexOf(true))
  })

  it('keeps readers waiting for two seconds at most where a rule gets its owner', async () => {
    const text = await readFile(join(projectFolder, 'migrations/0122_rule_owner_alone.sql'), 'utf8')
    const [first, second] = text
      .split('--> statement-breakpoint')
      .map((statement) => statement.replace(/^--.*$/gm, '').trim())
    expect(first).toBe("SET LOCAL lock_timeout = '2s';")
    expect(second).toMatch(/^LOCK TABLE .* ACCESS EXCLUSIVE MODE;$/)
  })
})
