// A self-test of the configured encryption keys, for the readiness check.
import type { Binding } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { AppError } from '../errors.ts'
import { open, seal } from './observed-envelope.ts'

const nowhere: Binding = { table: '', column: '', userId: '', itemId: '' }
const sample = 'wn1'

/** Whether the current key opens what it seals. The first call of an isolate derives the key. */
export async function checkKeyring(keyring: Keyring): Promise<{ ok: boolean; problems: string[] }> {
  try {
    const sealed = await seal('self_test', keyring, sample, nowhere)
    if ((await open('self_test', keyring, sealed, nowhere)) === sample) return { ok: true, problems: [] }
    return { ok: false, problems: ['The current encryption key does not give back what it sealed.'] }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { ok: false, problems: ['The current encryption key cannot be used.'] }
  }
}
