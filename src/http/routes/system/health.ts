// Liveness and readiness. Neither reveals data or secrets.
import * as z from 'zod'
import { checkKeyring } from '../../../custody/check-keyring.ts'
import { checkStoredKeys } from '../../../keys/check-stored-keys.ts'
import { checkBackupLogin } from '../../../db/operations/backup-login.ts'
import { checkDatabase, whileReadinessWaits } from '../../../db/operations/health.ts'
import { readFreeze } from '../../../db/operations/freeze.ts'
import type { Services } from '../../../context.ts'
import { AppError } from '../../../errors.ts'
import { publicRoute } from '../../route.ts'

const tags = ['health']

/** Needs no configuration. */
export const healthRoute = publicRoute({
  id: 'health',
  method: 'GET',
  path: '/health',
  summary: 'Check that the Worker runs',
  tags,
  answers: { 200: z.object({ status: z.literal('ok') }).meta({ id: 'Health' }) },
  errors: [],
}).handle(() => Promise.resolve({ status: 200, body: { status: 'ok' } }))

const checkResult = z.enum(['ok', 'failed'])
const checks = z.object({
  api_database: checkResult,
  jobs_database: checkResult,
  /** With built-in accounts only. */
  identity_database: checkResult.optional(),
  /** Where the Worker makes backups. */
  backup_database: checkResult.optional(),
  encryption_key: checkResult,
})

/** An invalid configuration is 500 `misconfigured` before this route. */
export const readyRoute = publicRoute({
  id: 'ready',
  method: 'GET',
  path: '/ready',
  summary: 'Check readiness',
  tags,
  answers: {
    200: z
      .object({
        status: z.literal('ready'),
        frozen: z.boolean(),
        /** Which version responds: a deployment asks the new one. */
        version: z.string().optional(),
        checks,
      })
      .meta({ id: 'Ready' }),
  },
  errors: ['unavailable'],
}).handle(async ({ services }) => {
  const { backup, database } = services.config
  const [api, jobs, identity, backups, key, stored, frozen] = await Promise.all([
    checkDatabase(services.api),
    checkDatabase(services.jobs),
    services.identity === null ? null : services.identity().then((accounts) => checkDatabase(accounts.database)),
    backup === null ? null : checkBackupLogin(backup.databaseUrl, database.endpoint),
    checkKeyring(services.keyring),
    checkStoredKeys(services),
    isFrozen(services),
  ])
  const version = services.version === null ? {} : { version: services.version }
  const found = {
    api_database: verdict(api.ok),
    jobs_database: verdict(jobs.ok),
    ...(identity === null ? {} : { identity_database: verdict(identity.ok) }),
    ...(backups === null ? {} : { backup_database: verdict(backups.ok) }),
    encryption_key: verdict(key.ok && stored.ok),
  }
  if (Object.values(found).every((result) => result === 'ok'))
    return { status: 200, body: { status: 'ready', frozen, ...version, checks: found } }
  // Only the log names the failed checks.
  const reason = [
    ...api.problems.map((problem) => `wn_api: ${problem}`),
    ...jobs.problems.map((problem) => `wn_jobs: ${problem}`),
    ...(identity?.problems ?? []).map((problem) => `wn_identity: ${problem}`),
    ...(backups?.problems ?? []).map((problem) => `wn_backup: ${problem}`),
    ...key.problems,
    ...stored.problems,
  ]
  throw new AppError('unavailable', 'The service is not ready. The log has the reason.', {
    reason: reason.join(' '),
    extensions: { ...version, checks: found },
  })
})

function verdict(ok: boolean): z.input<typeof checkResult> {
  return ok ? 'ok' : 'failed'
}

/** A frozen deployment is ready: a new version with new secrets must be deployable. */
async function isFrozen({ jobs }: Pick<Services, 'jobs'>): Promise<boolean> {
  try {
    return (await whileReadinessWaits(readFreeze(jobs))).state !== 'off'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return true
  }
}
