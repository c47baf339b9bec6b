// What docs/upgrading.md says of the migrations since the last release, compared with the migrations.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { refuseContractions } from '../../../../src/cli/deploy/pending.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'

/** The last migration of release 0.1.0. */
const released = '0050_stopped_products'

async function newMigrations() {
  const folder = join(projectFolder, 'migrations')
  const names = (await readdir(folder)).filter((file) => file.endsWith('.sql')).map((file) => file.replace('.sql', ''))
  return await Promise.all(
    names
      .filter((name) => name > released)
      .toSorted()
      .map(async (name) => ({ name, sql: await readFile(join(folder, `${name}.sql`), 'utf8') })),
  )
}

test('an upgrade from 0.1.0 needs each exception that docs/upgrading.md names, and no other', async () => {
  const migrations = await newMigrations()
  const document = await readFile(join(projectFolder, 'docs', 'upgrading.md'), 'utf8')
  const named = [...document.matchAll(/^npm run deploy .*--allow-contract (\S+)$/gm)].map(([, name = '']) => name)
  const allowed = [...new Set(named)]
  expect(allowed).not.toEqual([])
  const upgrade = { isEmpty: false, migrations }
  expect(() => refuseContractions(upgrade, allowed)).not.toThrow()
  for (const name of allowed)
    expect(() =>
      refuseContractions(
        upgrade,
        allowed.filter((other) => other !== name),
      ),
    ).toThrow(name)
})
