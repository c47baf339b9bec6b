// Seals and opens envelopes, and reports each as an operation.
import { type Binding, open as openEnvelope, seal as sealEnvelope } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { measured } from '../monitoring/operation.ts'

type Content =
  | 'access_token'
  | 'link_token'
  | 'totp_secret'
  | 'webhook_secret'
  | 'sign_in'
  | 'provider_session'
  | 'self_test'

export async function seal(content: Content, keyring: Keyring, plaintext: string, binding: Binding): Promise<string> {
  return await measured({ kind: 'crypto', name: `seal ${content}` }, () => sealEnvelope(keyring, plaintext, binding))
}

export async function open(content: Content, keyring: Keyring, sealed: string, binding: Binding): Promise<string> {
  return await measured({ kind: 'crypto', name: `open ${content}` }, () => openEnvelope(keyring, sealed, binding))
}
