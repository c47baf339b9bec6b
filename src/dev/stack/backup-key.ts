// The age key pair of a local stack, next to its data. A deployment never has the secret key.
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nullIfMissing } from '../lib/missing.ts'

/** The public key. Creates the pair, in the format of `age-keygen`, where the folder has none. */
export async function backupRecipient(folder: string): Promise<string> {
  const path = join(folder, 'backup-key.txt')
  const stored = await readFile(path, 'utf8').catch(nullIfMissing)
  const identity = stored?.match(/^AGE-SECRET-KEY-\S+$/m)?.[0] ?? (await generateIdentity())
  const recipient = await identityToRecipient(identity)
  if (stored === null) await writeFile(path, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600, flag: 'wx' })
  return recipient
}
