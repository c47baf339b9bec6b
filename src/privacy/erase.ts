// Erases a person: the account, every item at Plaid, every row. Each step is idempotent, so that the erasure finishes
// wherever an attempt ends: the request tries first, then a message, then the cron.
import { audit } from '../audit/audit.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx } from '../context.ts'
import {
  addCounts,
  claimErasures,
  type Counts,
  eraseAccount,
  erasedTables,
  type Erasure,
  erasureProgress,
  eraseRows,
  finishErasure,
  getErasure,
  giveUpRemovals,
  lastErasedTables,
  listRemovals,
  notePlaidUserRemoved,
  type OpenErasure,
  openErasure,
} from '../db/privacy/erasures.ts'
import { queueRemoval } from '../items/queue-removal.ts'
import { removeAtPlaid } from '../items/remove-at-plaid.ts'
import { servingUser } from '../items/serving-user.ts'
import { type Certificate, signCertificate } from './certificate.ts'
import { copyErasure } from './copy-erasures.ts'
import { isUuid } from './uuid.ts'

/** About a second's work. */
const portion = 5000
/** Erasures of one run of the cron. */
const most = 20

/**
 * Continues an erasure as far as it gets, and copies it into the bucket of backups meanwhile. Returns whether it is complete.
 * Safe to run twice at once.
 */
export async function continueErasure(ctx: Ctx, id: string): Promise<boolean> {
  const copied = copyErasure(ctx, id)
  try {
    return await eraseMore(ctx, id)
  } finally {
    await copied
  }
}

async function eraseMore(ctx: Ctx, id: string): Promise<boolean> {
  const { jobs } = ctx.services
  const erasure = await openErasure(jobs, id)
  if (erasure === null) return true
  await ctx.services.live?.close(erasure.user_id, 'erased')
  await deleteAccount(ctx, id, erasure)
  // Hidden items take no rows of runs that are in progress.
  for (const item of erasure.items)
    await queueRemoval(ctx, item, { keepDays: 0 }, await audit(ctx, { action: 'item_purged', target: item.id }))
  for (const table of erasedTables) await eraseAll(ctx, id, table)
  for (const plaidItemId of await listRemovals(jobs, erasure.user_id)) await removeAtPlaid(ctx, plaidItemId)
  const isPlaidUserGone = erasure.plaid_user_removed || (await removePlaidUser(ctx, id, erasure))
  const givenUp = await giveUpRemovals(jobs, id)
  if (givenUp > 0) ctx.log.error('erasure_left_items_at_plaid', { user_id: erasure.user_id, count: givenUp })
  const progress = await erasureProgress(jobs, id)
  if (progress === null) return true
  if (progress.removals > 0 || !isPlaidUserGone) return false
  for (const table of [...erasedTables, ...lastErasedTables]) await eraseAll(ctx, id, table)
  return await complete(ctx, id, { hasPlaidUser: erasure.plaid_user_id !== null, givenUp })
}

async function eraseAll({ services }: Ctx, id: string, table: Parameters<typeof eraseRows>[2]): Promise<void> {
  for (let erased = portion; erased === portion;) erased = await eraseRows(services.jobs, id, table, portion)
}

/** Deletes the built-in account first, so that no client signs in meanwhile, and notifies its address. */
async function deleteAccount({ services, log }: Ctx, id: string, { issuer, subject }: OpenErasure): Promise<void> {
  if (services.identity === null || issuer !== LOCAL_ISSUER || !isUuid(subject)) return
  const identity = await services.identity()
  const account = await eraseAccount(identity.database, subject)
  if (account === null) return
  await addCounts(services.jobs, id, account.deleted)
  try {
    await identity.sendMail({ kind: 'erasure', to: account.email, reference: id }, log)
  } catch (error) {
    log.error('notice_not_sent', { mail: 'erasure', error })
  }
}

/** Whether Plaid no longer has the user. Removes with it every item that was linked for it. */
async function removePlaidUser(ctx: Ctx, id: string, erasure: OpenErasure): Promise<boolean> {
  const { plaid_user_id: plaidUserId, user_id: userId } = erasure
  if (plaidUserId === null) return true
  const result = await servingUser(ctx, userId).services.plaid.removeUser(plaidUserId)
  const isGone = result.ok || goneUser.has(result.failure.errorCode)
  if (isGone) await notePlaidUserRemoved(ctx.services.jobs, id)
  else ctx.log.error('plaid_user_not_removed', { user_id: userId, plaid_error_code: result.failure.errorCode })
  return isGone
}

/** Plaid's errors for a user that it does not have. */
const goneUser: ReadonlySet<string> = new Set(['USER_NOT_FOUND', 'INVALID_USER_ID', 'INVALID_USER_TOKEN'])

interface AtPlaid {
  readonly hasPlaidUser: boolean
  /** Items whose removal could not be requested. */
  readonly givenUp: number
}

const kept = [
  {
    what: 'This certificate and a hash of the login',
    why: 'They prove the erasure, and keep old tokens and restored backups from bringing the person back.',
  },
  {
    what: 'Rows of the audit trail, which no longer say whose they are',
    why: 'The trail is tamper-evident: a row cannot be taken out of it.',
  },
  { what: 'Counts of attempts under hashes, for a day at most', why: 'They protect logins from guessing.' },
  { what: 'Log lines with a pseudonym, until the log’s retention ends', why: 'They show attacks on the service.' },
  {
    what: 'Encrypted backups, until their retention ends',
    why: 'A backup cannot be changed. A restoration erases the person again, from the list of erasures.',
  },
] as const

function certificateOf(erasure: Erasure, deleted: Counts, completedAt: Date, at: AtPlaid): Certificate {
  return {
    format: 'wealthnavigator-erasure',
    format_version: 1,
    id: erasure.id,
    subject_hash: erasure.subjectHash,
    requested_at: erasure.requestedAt.toISOString(),
    completed_at: completedAt.toISOString(),
    deleted: { ...deleted, users: 1 },
    plaid: {
      items: at.givenUp === 0 ? 'removed' : `${at.givenUp} not removed: the access token was lost`,
      user: at.hasPlaidUser ? 'removed' : 'none',
    },
    kept: [...kept],
  }
}

async function complete(ctx: Ctx, id: string, at: AtPlaid): Promise<boolean> {
  const { jobs, config } = ctx.services
  const [erasure, progress] = [await getErasure(jobs, id), await erasureProgress(jobs, id)]
  if (erasure === null || progress === null) return true
  if (progress.exchanges > 0) return false
  const completedAt = ctx.now()
  const certificate = await signCertificate(config.secret, certificateOf(erasure, progress.deleted, completedAt, at))
  const isDone = await finishErasure(jobs, id, { deleted: progress.deleted, certificate, completedAt })
  if (isDone) ctx.log.info('person_erased')
  return isDone
}

/** Continues erasures that are due, such as those that wait for Plaid. */
export async function continueErasures(ctx: Ctx): Promise<void> {
  for (const id of await claimErasures(ctx.services.jobs, most))
    try {
      await continueErasure(ctx, id)
    } catch (error) {
      ctx.log.error('erasure_failed', { error })
    }
}
