// The Worker's own backup: a snapshot of the whole database into the bucket. Loaded with the cron, because age and the
// session of the driver are of no use to a request.
import { audit } from '../audit/audit.ts'
import type { Ctx } from '../context.ts'
import { beginBackup, completeBackup, failBackup } from '../db/operations/backups.ts'
import { withSession } from '../db/core/session.ts'
import { AppError } from '../errors.ts'
import { withTimeout } from '../timeout.ts'
import { type Bucket, latestKey } from './bucket.ts'
import { bucketDestination } from './bucket-destination.ts'
import { refuseWriter } from './check-login.ts'
import { createBackup } from './create-backup.ts'
import { backupId, bytesOf, type Manifest, rowsOf } from './format.ts'
import { loadSha256 } from './sha256.ts'

/** Cloudflare ends a cron after 15 minutes, without a trace. No page of rows is begun after this time. */
export const readingMs = 12 * 60_000
/** What hangs is given up after this much more: recording the failure needs time too. */
const graceMs = 90_000

/** The database is too large for the cron, or too slow today. */
class TimeLimitError extends AppError {
  constructor() {
    super('internal', 'The backup did not finish in time.', {
      reason: `the database is too large for the backup by cron, which has ${readingMs / 60_000} minutes: see docs/disaster-recovery.md`,
    })
  }
}

interface Target {
  readonly bucket: Bucket
  readonly backup: NonNullable<Ctx['services']['config']['backup']>
  readonly id: string
  readonly startedAt: Date
}

/** Writes the backup, or nothing of it. */
async function write(ctx: Ctx, { bucket, backup, id, startedAt }: Target, limitMs: number): Promise<Manifest> {
  const { config, auditKeys } = ctx.services
  const destination = bucketDestination(bucket, id)
  const startSha256 = await loadSha256()
  // The compressing stream passes on a copy of an error, which has another class.
  let late: TimeLimitError | null = null
  const giveUp = (): never => {
    throw (late = new TimeLimitError())
  }
  const checkTime = (): void => {
    if (ctx.now().getTime() - startedAt.getTime() >= limitMs) giveUp()
  }
  const { recipients, databaseUrl } = backup
  const given = { recipients, keys: auditKeys, now: startedAt, id, startSha256, destination, checkTime }
  try {
    return await withTimeout(
      limitMs + graceMs,
      withSession(databaseUrl, config.database.endpoint, async (connection) => {
        await refuseWriter(connection)
        return await createBackup({ ...given, connection })
      }),
      giveUp,
    )
  } catch (error) {
    await destination
      .discard()
      .catch((left: unknown) => ctx.log.warn('backup_not_discarded', { target_id: id, error: left }))
    throw late ?? error
  }
}

/** Creates a backup in the bucket, and records it. Rejects where it failed, which is recorded too. */
export async function runBackup(ctx: Ctx, limitMs = readingMs): Promise<void> {
  const { config, jobs, backups: bucket } = ctx.services
  const { backup } = config
  if (backup === null) return ctx.log.warn('backups_off')
  if (bucket === null)
    throw new AppError('misconfigured', 'The service is not configured correctly.', { reason: 'BACKUPS is not bound' })
  const startedAt = ctx.now()
  const id = backupId(startedAt, crypto.getRandomValues(new Uint8Array(4)))
  if (!(await beginBackup(jobs, id, startedAt))) return ctx.log.warn('backup_runs_already')
  try {
    const manifest = await write(ctx, { bucket, backup, id, startedAt }, limitMs)
    const [rows, bytes] = [rowsOf(manifest), bytesOf(manifest)]
    await bucket.put(latestKey, `${id}\n`)
    await completeBackup(jobs, { id, rows, bytes }, await audit(ctx, { action: 'backup_created', target: id }))
    const duration_ms = ctx.now().getTime() - startedAt.getTime()
    ctx.log.info('backup_created', { target_id: id, rows, bytes, duration_ms })
  } catch (error) {
    const problem = error instanceof TimeLimitError ? 'time_limit' : 'error'
    if (problem === 'time_limit') ctx.log.error('backup_too_large', { target_id: id })
    const row = await audit(ctx, { action: 'backup_failed', target: id })
    await failBackup(jobs, id, problem, row).catch((unrecorded: unknown) =>
      ctx.log.error('backup_failure_not_recorded', { target_id: id, error: unrecorded }),
    )
    throw error
  }
}
