// For administrators: the record of backups, and that one was restored for a test.
import * as z from 'zod'
import { audit } from '../../../audit/audit.ts'
import { backupTime, idPattern } from '../../../backup/format.ts'
import { readBackups, type RecordedBackup, recordVerified } from '../../../db/operations/backups.ts'
import { instant, timeText, timeTextOrNull } from '../../schemas.ts'
import { route } from '../../route.ts'

const tags = ['admin']

const backupId = z.string().regex(idPattern, { error: 'Must be the id of a backup.' })

const backupSchema = z
  .object({
    id: backupId,
    place: z.enum(['bucket', 'command']),
    state: z.enum(['running', 'complete', 'failed']),
    problem: z.enum(['time_limit', 'error', 'interrupted']).nullable(),
    started_at: instant,
    finished_at: instant.nullable(),
    rows: z.int().nullable(),
    bytes: z.int().nullable(),
    verified_at: instant.nullable(),
  })
  .meta({ id: 'Backup' })

const backupView = (backup: RecordedBackup): z.input<typeof backupSchema> => ({
  id: backup.id,
  place: backup.place,
  state: backup.state,
  problem: backup.problem,
  started_at: timeText(backup.startedAt),
  finished_at: timeTextOrNull(backup.finishedAt),
  rows: backup.rows,
  bytes: backup.bytes,
  verified_at: timeTextOrNull(backup.verifiedAt),
})
const viewOrNull = (backup: RecordedBackup | null) => (backup === null ? null : backupView(backup))

const statesSchema = z
  .object({
    enabled: z.boolean(),
    overdue: z.boolean(),
    last_backup: backupSchema.nullable(),
    last_verified: backupSchema.nullable(),
    data: z.array(backupSchema),
  })
  .meta({ id: 'BackupStates' })

export const listBackupsRoute = route({
  id: 'adminListBackups',
  method: 'GET',
  path: '/api/v1/admin/backups',
  summary: 'List backups',
  tags,
  access: 'admin',
  answers: { 200: statesSchema },
  errors: [],
}).handle(async ({ services }) => {
  const { lastBackup, lastVerified, isOverdue, newest } = await readBackups(services.jobs)
  return {
    status: 200,
    body: {
      enabled: services.config.backup !== null,
      overdue: isOverdue,
      last_backup: viewOrNull(lastBackup),
      last_verified: viewOrNull(lastVerified),
      data: newest.map(backupView),
    },
  }
})

export const verifiedBackupRoute = route({
  id: 'adminRecordVerifiedBackup',
  audit: ['backup_verified'],
  method: 'POST',
  path: '/api/v1/admin/backups/{id}/verified',
  summary: 'Record a verified backup',
  tags,
  access: 'admin',
  limit: 'sensitive',
  params: z.object({ id: backupId }),
  answers: { 200: z.object({ id: backupId, verified: z.literal(true) }).meta({ id: 'VerifiedBackup' }) },
  errors: [],
}).handle(async (ctx, { params: { id } }) => {
  await recordVerified(
    ctx.services.jobs,
    id,
    backupTime(id),
    await audit(ctx, { action: 'backup_verified', target: id }),
  )
  return { status: 200, body: { id, verified: true } }
})
