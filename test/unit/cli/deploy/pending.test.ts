// The migrations that a deployment finds pending in a real database.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { pendingMigrations, refuseContractions } from '../../../../src/cli/deploy/pending.ts'
import { migrate } from '../../../../src/dev/lib/migrate.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { type Postgres, startPostgres } from '../../../../src/dev/postgres/server.ts'

let server: Postgres
let folder: string
const journal = z
  .object({ entries: z.array(z.looseObject({ idx: z.number(), when: z.number(), tag: z.string() })) })
  .loose()

beforeAll(async () => {
  server = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-pending-'))
  await cp(join(projectFolder, 'migrations'), folder, { recursive: true })
}, 60_000)
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Adds a migration to the copy. */
async function add(tag: string, sql: string): Promise<void> {
  const file = join(folder, 'meta', '_journal.json')
  const content = journal.parse(JSON.parse(await readFile(file, 'utf8')))
  const last = content.entries.at(-1)
  if (last === undefined) throw new Error('no migrations')
  content.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag })
  await writeFile(file, JSON.stringify(content))
  await writeFile(join(folder, `${tag}.sql`), sql)
}

describe('pending migrations', () => {
  it('are all those of an empty database, and none is refused: no version uses it', async () => {
    const pending = await pendingMigrations(server.url, folder)
    expect(pending.isEmpty).toBe(true)
    expect(pending.migrations[0]?.name).toBe('0000_tables')
    expect(() => refuseContractions(pending, [])).not.toThrow()
  })

  it('are those that a database in use has not seen, by name', async () => {
    await migrate(server.url, folder)
    expect(await pendingMigrations(server.url, folder)).toEqual({ isEmpty: false, migrations: [] })
    await add('0090_note', 'ALTER TABLE items ADD COLUMN note text;--> statement-breakpoint\nSELECT 1')
    await add('0091_drop', 'ALTER TABLE items DROP COLUMN note')
    const pending = await pendingMigrations(server.url, folder)
    expect(pending.migrations.map(({ name }) => name)).toEqual(['0090_note', '0091_drop'])
    expect(() => refuseContractions(pending, [])).toThrow(
      '  0091_drop: drops a column: alter table items drop column note',
    )
    expect(() => refuseContractions(pending, ['0091_drop'])).not.toThrow()
    expect(() => refuseContractions({ ...pending, migrations: pending.migrations.slice(0, 1) }, [])).not.toThrow()
  })
})
