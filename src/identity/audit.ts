// What built-in accounts record in the audit trail.
import type { AuditAction } from '../audit/actions.ts'
import { audit, recordAlone } from '../audit/audit.ts'
import { fixedId } from '../audit/fixed-id.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx } from '../context.ts'
import type { AuditRow } from '../db/audit/record.ts'
import { providerOf } from '../ratelimit/address.ts'
import { networkIn } from './throttles.ts'

/** A row about an account, by the account itself: the request proves that it is the account's. */
export const auditByAccount = (
  ctx: Ctx,
  action: AuditAction,
  accountId: string,
  target: string | null = null,
): Promise<AuditRow> => audit(ctx, { action, target, by: { issuer: LOCAL_ISSUER, subject: accountId } })

const hourMs = 3_600_000

/**
 * A refused password or code. Of an account there is one row an hour and network, without one a row an hour and provider:
 * guessing does not fill the table.
 */
export async function auditRefusal(ctx: Ctx, accountId: string | null): Promise<AuditRow> {
  const from = accountId !== null || ctx.client === undefined ? networkIn(ctx) : providerOf(ctx.client)
  const hour = String(Math.floor(ctx.now().getTime() / hourMs))
  const owner = accountId === null ? {} : { owner: { issuer: LOCAL_ISSUER, subject: accountId } }
  const id = await fixedId('sign_in_refused', accountId ?? '', from, hour)
  return await audit(ctx, { action: 'sign_in_refused', target: null, id, ...owner })
}

/** The same, recorded, with or without an account. */
export const recordRefusal = async (ctx: Ctx, accountId: string | null): Promise<void> =>
  await recordAlone(ctx, await auditRefusal(ctx, accountId))
