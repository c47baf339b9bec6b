// Alarms about backups that do not happen, for any reason: a cron that was ended may have left no trace.
import type { Ctx } from '../context.ts'
import { isBackupOverdue } from '../db/operations/backups.ts'

/** Each hour. Says so loudly where a deployment makes no backups itself. */
export async function reportOverdueBackup({ services, log }: Ctx): Promise<void> {
  if (services.config.backup !== null) {
    if (await isBackupOverdue(services.jobs)) log.error('backup_overdue')
    return
  }
  if (services.config.strict) log.warn('backups_off', { variable: 'BACKUP_RECIPIENT' })
}
