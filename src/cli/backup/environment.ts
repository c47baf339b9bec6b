// What the backup commands read from the environment and from the operator's key file.
import { readFile } from 'node:fs/promises'
import { recipientsOf } from '../../backup/format.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { misuse } from '../../dev/lib/run-command.ts'

export function recipients(environment: NodeJS.ProcessEnv): string[] {
  const found = recipientsOf(environment['BACKUP_RECIPIENT'] ?? '')
  const bad = found.find((recipient) => !/^age1[0-9a-z]{58,}$/.test(recipient))
  if (bad !== undefined) throw misuse('BACKUP_RECIPIENT must be age public keys (age1…), separated by commas.')
  if (found.length === 0)
    throw misuse('BACKUP_RECIPIENT is not set: give it the age public key (age1…) that backups are encrypted for.')
  return found
}

/** The secret keys of an age key file, as `age-keygen -o FILE` writes it. */
export async function identitiesOf(file: string | undefined): Promise<string[]> {
  if (file === undefined) throw misuse('Say with --identity which age key file decrypts the backup.')
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) throw misuse(`There is no file ${file}.`)
  const found = text.split(/\r?\n/).filter((line) => line.startsWith('AGE-SECRET-KEY-'))
  if (found.length === 0) throw misuse(`The file ${file} has no line that begins with AGE-SECRET-KEY-.`)
  return found
}
