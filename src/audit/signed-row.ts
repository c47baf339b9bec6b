// The canonical encoding of a row of the audit trail, which its HMAC covers, and the salted hash of its actor.
import { sha256 } from '../crypto/digest.ts'
import { type Bytes, lengthPrefixed } from '../crypto/encoding.ts'
import type { Identity } from '../db/core/scope.ts'
import type { AuditField } from './keys.ts'

export const actorKinds = ['user', 'admin', 'anonymous', 'webhook', 'cron', 'queue', 'command'] as const
export type ActorKind = (typeof actorKinds)[number]

/** Every field of a row but its key and its HMAC. */
export interface SignedRow {
  readonly id: string
  readonly at: Date
  readonly actorKind: ActorKind
  /** SHA-256 of a salt, the actor's identity and API key; null for an actor that is no person. */
  readonly actorHash: Bytes | null
  readonly action: string
  readonly targetKind: string
  readonly targetId: string | null
  readonly requestId: string
  readonly correlationId: string | null
  readonly network: string | null
}

/** The fields in their order. A new field is appended under a new version. */
export const fieldsOf = (row: SignedRow): readonly AuditField[] => [
  '1',
  row.id,
  row.at.toISOString(),
  row.actorKind,
  row.actorHash,
  row.action,
  row.targetKind,
  row.targetId,
  row.requestId,
  row.correlationId,
  row.network,
]

/**
 * Without its salt, which an erasure deletes, the hash identifies no person.
 * @param apiKey the first characters of the key with which the actor acted; null without one
 */
export const actorHash = async (
  salt: Uint8Array,
  { issuer, subject }: Identity,
  apiKey: string | null = null,
): Promise<Bytes> => await sha256(lengthPrefixed([salt, issuer, subject, ...(apiKey === null ? [] : [apiKey])]))

/** A person as `audit_people` names them: the length of the issuer keeps issuer and subject apart. */
export const personOf = ({ issuer, subject }: Identity): string => `${Array.from(issuer).length}:${issuer}${subject}`

/** The reverse; null for other text. */
export function splitPerson(person: string): Identity | null {
  const [, length, rest] = /^(\d+):(.*)$/s.exec(person) ?? []
  if (length === undefined || rest === undefined) return null
  const characters = Array.from(rest)
  return { issuer: characters.slice(0, Number(length)).join(''), subject: characters.slice(Number(length)).join('') }
}
