// What the admin routes say after a deployment about backups, the audit trail and the security log.
import * as z from 'zod'
import { type Check, fail, pass, warn } from '../lib/checks.ts'
import { chainAgeMs, lastDay, read } from './after-deploy.ts'
import type { SmokePorts } from './target.ts'

const dayMs = 86_400_000
/** A restoration that was tried longer ago says little about today's backups. */
const verifiedDays = 90

const backupsSchema = z.object({
  enabled: z.boolean(),
  overdue: z.boolean(),
  last_backup: z.object({ started_at: z.string() }).nullable(),
  last_verified: z.object({ verified_at: z.string().nullable() }).nullable(),
})

const backups: Check<SmokePorts> = {
  name: 'backups',
  async check(ports) {
    const found = await read(ports, 'backups', backupsSchema)
    const { enabled, overdue, last_backup: last, last_verified: verified } = found
    if (!enabled)
      return warn('unknown: BACKUP_RECIPIENT is none, so they are made elsewhere', 'Look at the newest one there.')
    if (last === null)
      return fail('there is none', 'Wait for the cron at 02:11 UTC, then read the log lines `backup_`.')
    if (overdue) return fail(`the last one is of ${last.started_at}`, 'docs/disaster-recovery.md, *The daily backup*.')
    const at = verified?.verified_at ?? null
    const verify = 'Restore one: docs/disaster-recovery.md, *Verify*.'
    if (at === null) return warn(`the last one is of ${last.started_at}; none was ever restored`, verify)
    if (ports.now().getTime() - Date.parse(at) > verifiedDays * dayMs)
      return warn(`the last one is of ${last.started_at}; one was restored last on ${at}`, verify)
    return pass(`the last one is of ${last.started_at}; one was restored on ${at}`)
  },
}

const trailSchema = z.object({
  last: z.object({ verified_at: z.string(), valid: z.boolean() }).nullable(),
  waiting: z.number(),
  waiting_since: z.string().nullable(),
})

const auditTrail: Check<SmokePorts> = {
  name: 'audit trail',
  async check(ports) {
    const { last, waiting, waiting_since: since } = await read(ports, 'audit/verify', trailSchema)
    if (last !== null && !last.valid)
      return fail(
        `the verification of ${last.verified_at} found a fault`,
        'Rows were altered: follow docs/incident-response.md.',
      )
    if (since !== null && ports.now().getTime() - Date.parse(since) > chainAgeMs)
      return fail(
        `${waiting} rows wait for their place in a chain since ${since}`,
        'Look whether the cron `* * * * *` runs.',
      )
    const verify = 'Run `npm run audit -- verify`.'
    if (last === null) return warn('it was never verified', verify)
    if (ports.now().getTime() - Date.parse(last.verified_at) > 30 * dayMs)
      return warn(`it was verified last on ${last.verified_at}`, verify)
    return pass(`valid on ${last.verified_at}`)
  },
}

/** What an operator or a user must have wanted. */
const notable: ReadonlySet<string> = new Set([
  'admin_granted',
  'admin_revoked',
  'freeze_changed',
  'key_rotation_started',
  'token_rotation_started',
  'session_reused',
  'backup_restored',
  'totp_disabled',
])
const auditRow = z.object({ action: z.string(), at: z.string() })
const refusedSignIns = 50

const securityLog: Check<SmokePorts> = {
  name: 'security log',
  async check(ports) {
    const { rows, isAll } = await lastDay(ports, 'audit', auditRow, ({ at }) => at)
    const counts = new Map<string, number>()
    for (const { action } of rows) counts.set(action, (counts.get(action) ?? 0) + 1)
    const seen = [...counts].filter(([action]) => notable.has(action))
    const refused = counts.get('sign_in_refused') ?? 0
    const said = [
      `${isAll ? '' : 'over '}${rows.length} rows within 24 hours`,
      ...seen.map(([action, count]) => `${count} × ${action}`),
      ...(refused > 0 ? [`${refused} × sign_in_refused`] : []),
    ].join(', ')
    if (seen.length === 0 && refused < refusedSignIns) return pass(said)
    return warn(
      said,
      'Ask who did this: GET /api/v1/admin/audit?action=…; docs/incident-response.md if it is unexplained.',
    )
  },
}

export const recordChecks: readonly Check<SmokePorts>[] = [backups, auditTrail, securityLog]
