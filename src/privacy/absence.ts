// Users who have not come for two years: notified thirty days before, and then erased like a person who requests it (16 CFR
// 314.4(c)(6)(i)). Safe to interrupt and to repeat: a visit ends it at any time.
import { audit } from '../audit/audit.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx } from '../context.ts'
import {
  type AbsentUser,
  absenceDays,
  addressOf,
  beginAbsentErasure,
  listAbsent,
  listToNotify,
  noteNotified,
} from '../db/privacy/absence.ts'
import { isUuid } from './uuid.ts'

/** Users of one step. */
const stepUsers = 50
const dayMs = 86_400_000
/** The erasure may begin on the day after thirty whole days. */
const graceDays = 31

/**
 * Notifies the next users after `after`. For a user without an address here, the policy is the notice (docs/privacy-policy.md).
 * Returns the last of them; null when there is none left. An e-mail that cannot be sent is tried again by the next run.
 */
export async function notifyAbsent(ctx: Ctx, after: string | null): Promise<string | null> {
  const users = await listToNotify(ctx.services.jobs, after, stepUsers)
  for (const user of users)
    try {
      await sendNotice(ctx, user)
      await noteNotified(ctx.services.jobs, user.user_id)
    } catch (error) {
      ctx.log.error('notice_not_sent', { mail: 'absence', user_id: user.user_id, error })
    }
  return users.length < stepUsers ? null : (users.at(-1)?.user_id ?? null)
}

async function sendNotice({ services, now, log }: Ctx, { issuer, subject }: AbsentUser): Promise<void> {
  if (services.identity === null || issuer !== LOCAL_ISSUER || !isUuid(subject)) return
  const identity = await services.identity()
  const to = await addressOf(identity.database, subject)
  if (to === null) return
  const on = new Date(now().getTime() + graceDays * dayMs).toISOString().slice(0, 10)
  await identity.sendMail({ kind: 'absence', to, on, years: absenceDays / 365 }, log)
}

/** Begins the erasure of users who are due. Returns how many, and whether there may be more. */
export async function eraseAbsent(ctx: Ctx): Promise<{ readonly begun: number; readonly isDone: boolean }> {
  const { jobs, newId, enqueueErasure } = ctx.services
  const users = await listAbsent(jobs, stepUsers)
  let begun = 0
  for (const userId of users) {
    const id = newId()
    const row = await audit(ctx, { action: 'erasure_begun', target: id, owner: { userId } })
    if (!(await beginAbsentErasure(jobs, userId, id, row))) continue
    ctx.log.info('erasure_begun', { user_id: userId, reason: 'absent' })
    await enqueueErasure(id, 0)
    begun += 1
  }
  // One who came meanwhile is not listed again.
  return { begun, isDone: users.length < stepUsers }
}
