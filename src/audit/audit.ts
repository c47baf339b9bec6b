// Makes a row of the audit trail from the context of a use case. The use case puts its statement into the batch of the
// change, so that neither exists without the other.
import type { Actor, Ctx } from '../context.ts'
import { encodeHex } from '../crypto/encoding.ts'
import { type AuditOwner, type AuditRow, recordAudit } from '../db/audit/record.ts'
import { execute } from '../db/core/client.ts'
import type { Identity } from '../db/core/scope.ts'
import { networkOf } from '../ratelimit/address.ts'
import { type AuditAction, auditActions } from './actions.ts'
import { actorHash, type ActorKind, fieldsOf, type SignedRow } from './signed-row.ts'

const saltBytes = 16

interface AuditEvent {
  readonly action: AuditAction
  /** The id of what the action is about. */
  readonly target: string | null
  /** In whose trail the row belongs; by default the acting user's, and the system's for other actors. */
  readonly owner?: AuditOwner
  /** Who acts, where the request proves it and the context does not know it: a sign-in. */
  readonly by?: Identity
  /** Of a row that several requests may write and that is stored once; random by default. */
  readonly id?: string
}

/** A user acts as administrator on the routes for administrators only. */
function kindOf(actor: Actor): ActorKind {
  return actor.kind === 'user' && actor.isAdministering === true ? 'admin' : actor.kind
}

/** Signs a row about what the context's actor does. Each call makes another row; a batch that is sent again does not. */
export async function audit(ctx: Ctx, { action, target, owner, by, id }: AuditEvent): Promise<AuditRow> {
  const { services, actor, client, requestId, correlationId = null } = ctx
  const at = ctx.now()
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes))
  const person = by ?? (actor.kind === 'user' ? actor.identity : null)
  const apiKey = by === undefined && actor.kind === 'user' ? (actor.apiKey?.prefix ?? null) : null
  const row: SignedRow = {
    id: id ?? services.newId(),
    at,
    actorKind: by === undefined ? kindOf(actor) : 'user',
    actorHash: person === null ? null : await actorHash(salt, person, apiKey),
    action,
    targetKind: auditActions[action],
    targetId: target,
    requestId,
    correlationId,
    network: client === undefined ? null : await services.pseudonyms.network(networkOf(client), at),
  }
  const { keyId, mac } = await services.auditKeys.sign('row', fieldsOf(row))
  ctx.audited?.(action)
  return {
    ...row,
    keyId,
    mac,
    actor: person === null ? null : { ...person, salt: encodeHex(salt), apiKey },
    owner: owner ?? (row.actorKind === 'user' ? person : null),
  }
}

/** Records what changes nothing in the database: a read, or the start of what a queue does. */
export async function recordAlone({ services }: Ctx, row: AuditRow): Promise<void> {
  await execute(services.jobs, [recordAudit(row)])
}
