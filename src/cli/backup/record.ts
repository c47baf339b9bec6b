// Records a backup that a command made, or a restoration, in the database and its audit trail.
import type { Client } from 'pg'
import type { AuditKeys } from '../../audit/keys.ts'
import { bytesOf, type Manifest, rowsOf } from '../../backup/format.ts'
import { inTransaction } from '../../dev/lib/owner-session.ts'
import { recordCommand } from '../lib/command-audit.ts'

/** Records a backup that is complete. `client` is the owner's. */
export async function recordCreated(client: Client, keys: AuditKeys, manifest: Manifest): Promise<void> {
  const { id, created_at: takenAt } = manifest
  await inTransaction(client, async () => {
    await client.query(
      `insert into backups (id, place, state, started_at, finished_at, rows, bytes)
        values ($1, 'command', 'complete', $2, now(), $3, $4)`,
      [id, takenAt, rowsOf(manifest), bytesOf(manifest)],
    )
    await recordCommand(client, keys, { action: 'backup_created', target: id })
  })
}

/** Records that this database was made from a backup, which itself says that it still runs. */
export async function recordRestored(client: Client, keys: AuditKeys, { id }: Manifest): Promise<void> {
  await client.query(`update backups set state = 'complete', finished_at = started_at where id = $1`, [id])
  await recordCommand(client, keys, { action: 'backup_restored', target: id })
}

/** Records that the provider has put this database back to an earlier state. */
export const recordSettled = (client: Client, keys: AuditKeys): Promise<void> =>
  recordCommand(client, keys, { action: 'backup_restored', target: null })
