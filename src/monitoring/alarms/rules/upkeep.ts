// Alarms about crons, backups, the audit trail and privacy.
import { day, hour, onAge, onEvents, onGauge, onHeartbeat } from '../builders.ts'
import type { Rule } from '../rule.ts'

const backupMetric = 'wn_backup_last_success_timestamp_seconds'
const verifiedRule = onAge(
  { name: 'backup_not_verified', severity: 'ticket', summary: 'No backup was restored for a test lately.' },
  'wn_backup_last_verified_timestamp_seconds',
  35,
)

/** Where no backup was ever made, there is none to verify: none is wanted, or backup_overdue fires. */
const backupNotVerified: Rule = {
  ...verifiedRule,
  reads: [...verifiedRule.reads, backupMetric],
  measure: (readings) => verifiedRule.measure(readings) ?? (readings.latest(backupMetric) === null ? 0 : null),
}

/** Crons, backups, the audit trail, privacy. */
export const upkeep: readonly Rule[] = [
  // The part of the job alone: its other parts have their own alarms.
  onHeartbeat('chain', 'page', 10, 'New rows of the audit trail are not chained.', 'cron_audit_missing'),
  onHeartbeat('sweep', 'page', 20, 'The sweep does not run: products that are due are not synced.'),
  onHeartbeat('sync', 'ticket', 130, 'The hourly job does not run.'),
  onHeartbeat('backup', 'ticket', 26 * hour, 'The daily backup does not run.'),
  onHeartbeat('retention', 'ticket', 26 * hour, 'The daily retention does not run.'),
  onHeartbeat('cleanup', 'ticket', 8 * day, 'The weekly cleanup of backups does not run.'),
  onEvents(
    {
      name: 'jobs_failing',
      heldBy: ['database_failing'],
      severity: 'ticket',
      summary: 'A job of a cron or a queue fails.',
    },
    30,
    3,
  ),
  onEvents(
    {
      name: 'reconciler_failing',
      heldBy: ['database_failing', 'plaid_failing'],
      severity: 'ticket',
      summary: 'The reconciler cannot finish exchanges or removals.',
    },
    hour,
    5,
  ),
  // The hourly cron repeats the event.
  onEvents(
    { name: 'backup_overdue', severity: 'ticket', summary: 'The last complete backup is more than 26 hours old.' },
    130,
  ),
  onEvents(
    { name: 'backup_too_large', severity: 'ticket', summary: 'The database is too large for the daily backup’s time.' },
    day,
  ),
  // The weekly cleanup looks.
  onEvents(
    { name: 'backup_none_good', severity: 'page', summary: 'No backup in the bucket is complete and unchanged.' },
    8 * day,
  ),
  backupNotVerified,
  {
    ...onGauge(
      {
        name: 'audit_trail_broken',
        severity: 'page',
        summary: 'The last verification of the audit trail found a fault.',
      },
      'wn_audit_valid',
      { unit: 'count', firesAt: 1, afterMinutes: 0 },
      (valid) => 1 - valid,
    ),
    absence: { kind: 'quiet', why: 'a trail that was never verified fires audit_not_verified' },
  },
  onAge(
    { name: 'audit_not_verified', severity: 'ticket', summary: 'The audit trail was not verified lately.' },
    'wn_audit_last_verification_timestamp_seconds',
    14,
  ),
  onGauge(
    {
      name: 'audit_chain_behind',
      severity: 'page',
      summary: 'Rows of the audit trail wait for their place in a chain.',
    },
    'wn_audit_unchained_age_seconds',
    { unit: 'seconds', firesAt: 600, afterMinutes: 0 },
  ),
  onGauge(
    {
      name: 'frozen_for_long',
      severity: 'ticket',
      summary: 'The deployment is frozen for hours: nothing is written or synced.',
    },
    'wn_safety_switch',
    {
      unit: 'count',
      firesAt: 1,
      afterMinutes: 4 * hour,
      where: { switch: 'freeze', state: ['recovery', 'frozen', 'locked'] },
    },
  ),
  onEvents({ name: 'retention_failing', severity: 'ticket', summary: 'Expired data could not be deleted.' }, day),
  onEvents(
    { name: 'erasures_failing', severity: 'ticket', summary: 'The erasure of a person does not complete.' },
    day,
  ),
  // The hourly cron repeats the event.
  onEvents(
    {
      name: 'erasures_not_copied',
      severity: 'ticket',
      summary: 'The bucket of backups lacks erasures: a restored backup could bring the people back.',
    },
    130,
  ),
  onEvents({ name: 'exports_failing', severity: 'ticket', summary: 'Exports of a person’s data fail.' }, hour),
]
