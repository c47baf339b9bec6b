// Runs a request with an `Idempotency-Key` once: a repetition gets the stored response, for a day. Keys are of one user and
// one route.
import type { RouteAudit } from '../audit/actions.ts'
import type { Ctx, User } from '../context.ts'
import { sha256 } from '../crypto/digest.ts'
import { lengthPrefixed, utf8 } from '../crypto/encoding.ts'
import { beginRequest, forgetRequest, storeResponse } from '../db/applications/idempotency.ts'
import { AppError } from '../errors.ts'

const inProgressSeconds = 5
const tooManySeconds = 3600

interface Outgoing {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body: unknown
}

interface Repeatable {
  readonly route: { readonly id: string; readonly audit?: RouteAudit }
  /** The `Idempotency-Key`. */
  readonly key: string
  /** What else was sent: the parsed path, query and body. */
  readonly input: unknown
}

/** The first request has written the rows of the audit trail. */
function noteAudited(ctx: Ctx, { audit }: Repeatable['route']): void {
  if (audit !== undefined && !('none' in audit)) for (const action of audit) ctx.audited?.(action)
}

/**
 * @throws AppError `idempotency_key_reused` for another request with the same key; `idempotency_key_in_use` while the first
 *   one runs; `rate_limited` for too many keys; errors of `run`, after which a repetition runs again
 */
export async function runOnce(
  ctx: Ctx<User>,
  { route, key, input }: Repeatable,
  run: () => Promise<Outgoing>,
): Promise<Outgoing> {
  const { services, actor, log } = ctx
  const runId = services.newId()
  const stored = await beginRequest(services.api, actor.identity, {
    route: route.id,
    keyDigest: await sha256(lengthPrefixed([route.id, key])),
    requestDigest: await sha256(utf8(JSON.stringify(input))),
    runId,
  })
  if (stored === null)
    throw new AppError('rate_limited', 'Too many requests with an Idempotency-Key today. Try again later.', {
      reason: 'idempotency keys',
      retryAfterSeconds: tooManySeconds,
    })
  if (!stored.isSame)
    throw new AppError('idempotency_key_reused', 'The Idempotency-Key was sent before, with another request.')
  if (stored.status !== null) {
    noteAudited(ctx, route)
    return { status: stored.status, body: stored.body }
  }
  if (stored.runId !== runId)
    throw new AppError('idempotency_key_in_use', 'The first request with this Idempotency-Key is in progress.', {
      retryAfterSeconds: inProgressSeconds,
    })
  const outgoing = await run().catch(async (error: unknown) => {
    await forgetRequest(services.api, actor.identity, runId).catch((failure: unknown) =>
      log.warn('idempotent_request_kept', { error: failure }),
    )
    throw error
  })
  // The request has succeeded, also if its copy is lost.
  await storeResponse(services.api, actor.identity, runId, outgoing.status, outgoing.body).catch((error: unknown) =>
    log.warn('idempotent_response_lost', { error }),
  )
  return outgoing
}
