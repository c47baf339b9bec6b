// The keys of the audit trail: one signs, and it and its predecessors verify. Each purpose has its own key, so that a
// MAC of a row is never one of a link of the chain.
import { type Authenticator, authenticatorFor } from '../crypto/derived-key.ts'
import { equalConstantTime } from '../crypto/constant-time.ts'
import type { Bytes } from '../crypto/encoding.ts'
import type { EncryptionKey } from '../crypto/keyring.ts'

/** What a MAC is of. */
export const auditPurposes = ['row', 'link', 'checkpoint', 'pruning', 'backup', 'erasure'] as const
export type AuditPurpose = (typeof auditPurposes)[number]

/** A field that may be absent; absent and empty are different. */
export type AuditField = string | Uint8Array | null

export interface Signature {
  readonly keyId: string
  readonly mac: Bytes
}

export interface AuditKeys {
  sign(purpose: AuditPurpose, fields: readonly AuditField[]): Promise<Signature>
  /** `unknown_key` where the key of that id is not configured. */
  verify(
    purpose: AuditPurpose,
    fields: readonly AuditField[],
    given: { readonly keyId: string; readonly mac: Uint8Array },
  ): Promise<'valid' | 'invalid' | 'unknown_key'>
}

export interface AuditKeysOptions {
  readonly current: EncryptionKey
  readonly previous: readonly EncryptionKey[]
}

/** Each field behind a mark that shows whether it is there. `lengthPrefixed` in the authenticator keeps them apart. */
const marked = (fields: readonly AuditField[]): (string | Uint8Array)[] =>
  fields.flatMap((field) => (field === null ? ['-'] : ['+', field]))

export function createAuditKeys({ current, previous }: AuditKeysOptions): AuditKeys {
  const authenticators = new Map<string, Authenticator>()
  for (const { id, secret } of [current, ...previous])
    for (const purpose of auditPurposes)
      authenticators.set(`${id} ${purpose}`, authenticatorFor(secret, `audit-${purpose}`))
  const mac = async (keyId: string, purpose: AuditPurpose, fields: readonly AuditField[]): Promise<Bytes | null> =>
    (await authenticators.get(`${keyId} ${purpose}`)?.([purpose, keyId, ...marked(fields)])) ?? null
  return {
    sign: async (purpose, fields) => {
      const signed = await mac(current.id, purpose, fields)
      if (signed === null) throw new TypeError('the current audit key is missing')
      return { keyId: current.id, mac: signed }
    },
    verify: async (purpose, fields, given) => {
      const expected = await mac(given.keyId, purpose, fields)
      if (expected === null) return 'unknown_key'
      return equalConstantTime(expected, given.mac) ? 'valid' : 'invalid'
    },
  }
}
