// The passwords of the Worker's four logins on the embedded database. Stored next to the data, so that a restart does
// not change them while connections use them.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { newPassword } from '../lib/bootstrap.ts'
import { nullIfMissing } from '../lib/missing.ts'

const password = z.string().min(1).default(newPassword)
const loginsSchema = z.object({
  apiPassword: password,
  jobsPassword: password,
  identityPassword: password,
  backupPassword: password,
})
export type Logins = z.infer<typeof loginsSchema>

/** Reads the passwords; creates and stores missing ones in a file that only its owner can read. */
export async function readLogins(folder: string): Promise<Logins> {
  const path = join(folder, 'logins.json')
  const stored = (await readFile(path, 'utf8').catch(nullIfMissing)) ?? '{}'
  const logins = loginsSchema.parse(JSON.parse(stored))
  const text = JSON.stringify(logins)
  if (text !== stored) await writeFile(path, text, { mode: 0o600 })
  return logins
}
