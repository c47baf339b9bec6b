// What built-in accounts record in the audit trail.
import type { AuditAction } from '../audit/actions.ts'
import { audit, recordAlone } from '../audit/audit.ts'
import { LOCAL_ISSUER } from '../auth/access-token.ts'
import type { Ctx } from '../context.ts'
import { sha256 } from '../crypto/digest.ts'
import { encodeHex, lengthPrefixed } from '../crypto/encoding.ts'
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
  const id = await idOf('sign_in_refused', accountId ?? '', from, hour)
  return await audit(ctx, { action: 'sign_in_refused', target: null, id, ...owner })
}

/** The same, recorded, with or without an account. */
export const recordRefusal = async (ctx: Ctx, accountId: string | null): Promise<void> =>
  await recordAlone(ctx, await auditRefusal(ctx, accountId))

/** The same id for the same parts (RFC 9562, version 8). */
async function idOf(...parts: readonly string[]): Promise<string> {
  const hex = encodeHex(await sha256(lengthPrefixed(parts)))
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
