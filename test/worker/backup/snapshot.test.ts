// A backup is the database at one moment, while others write.
import { expect, it } from 'vitest'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { openManifest } from '../../../src/backup/open-backup.ts'
import type { Manifest } from '../../../src/backup/format.ts'
import { loadSha256 } from '../../../src/backup/sha256.ts'
import { bucketDestination } from '../../../src/backup/bucket-destination.ts'
import { bucketOrigin } from '../../../src/backup/cleanup-bucket.ts'
import { withSession } from '../../../src/db/core/session.ts'
import { linkAndSync } from '../../support/linked.ts'
import { bucket, cron, useBackups, world } from './backups.ts'

useBackups()

/** Creates a backup; before each file is written, `meanwhile` runs with the number of files before it. */
async function backupWhile(id: string, meanwhile: (files: number) => Promise<void>): Promise<Manifest> {
  const { backupUrl, endpoint } = world.database
  const { auditKeys: keys, config } = cron().services
  const { write } = bucketDestination(bucket, id)
  let files = 0
  await withSession(backupUrl, endpoint, async (connection) => {
    await createBackup({
      connection,
      recipients: config.backup?.recipients ?? [],
      keys,
      now: new Date(),
      id,
      startSha256: await loadSha256(),
      destination: {
        write: async (file, content) => {
          await meanwhile(files)
          files += 1
          await write(file, content)
        },
      },
    })
  })
  return await openManifest(bucketOrigin(bucket, id), keys)
}

/** Counters that the Worker writes up to five seconds after the calls that it counts. */
const writtenLater = 'plaid_usage'

const rowsOf = ({ tables }: Manifest): Record<string, string> =>
  Object.fromEntries(
    tables
      .filter(({ name }) => name !== writtenLater)
      .map(({ schema, name, rows, rows_sha256: digest }) => [`${schema}.${name}`, `${rows} ${digest}`]),
  )

it('a backup has every table as it was when it began, while rows are added, changed and deleted', async () => {
  const before = rowsOf(await backupWhile('20260302T021100Z-00000001', () => Promise.resolve()))
  const during = rowsOf(
    await backupWhile('20260302T021100Z-00000002', async (files) => {
      // The manifest and its MAC come after the last table.
      if (files === 0) {
        await linkAndSync(world, 'meanwhile')
        await world.sql("update transactions set name = name || ' changed'")
        await world.sql('update accounts set current_balance = current_balance + 1')
      }
      if (files === 3)
        for (const table of ['transactions', 'holdings', 'liabilities']) await world.sql(`delete from ${table}`)
    }),
  )
  expect(during).toEqual(before)
  const after = rowsOf(await backupWhile('20260302T021100Z-00000003', () => Promise.resolve()))
  const changed = Object.keys(before).filter((table) => after[table] !== before[table])
  expect(changed).toEqual(
    expect.arrayContaining(['public.accounts', 'public.items', 'public.transactions', 'public.users']),
  )
  expect(changed.length).toBeGreaterThan(10)
})
