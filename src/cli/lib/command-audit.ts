// The row of the audit trail about what the owner does by command. The actor is `command`: the owner's connection proves no
// person.
import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { type AuditAction, auditActions } from '../../audit/actions.ts'
import type { AuditKeys } from '../../audit/keys.ts'
import { fieldsOf, type SignedRow } from '../../audit/signed-row.ts'
import { auditJson, type AuditOwner } from '../../db/audit/row.ts'

interface CommandEvent {
  readonly action: AuditAction
  readonly target: string | null
  /** In whose trail the row belongs; the system's by default. */
  readonly owner?: AuditOwner
}

/** Writes the row in the transaction of `client`; the chaining job of the Worker gives it its place. */
export async function recordCommand(
  client: Client,
  keys: AuditKeys,
  { action, target, owner }: CommandEvent,
): Promise<void> {
  const row: SignedRow = {
    id: randomUUID(),
    at: new Date(),
    actorKind: 'command',
    actorHash: null,
    action,
    targetKind: auditActions[action],
    targetId: target,
    requestId: randomUUID(),
    correlationId: null,
    network: null,
  }
  const signature = await keys.sign('row', fieldsOf(row))
  await client.query('SELECT app.record_audit($1::jsonb)', [
    auditJson({ ...row, ...signature, actor: null, owner: owner ?? null }),
  ])
}
