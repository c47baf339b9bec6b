// Owns the passwords of the Worker's two logins on the embedded database, kept beside the data so that a restart does
// not change them under whoever holds a connection.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { newPassword } from '../cli/bootstrap.ts'

const loginsSchema = z.object({ apiPassword: z.string().min(1), jobsPassword: z.string().min(1) })
export type Logins = z.infer<typeof loginsSchema>

/** Reads them, or makes and writes them (for their owner's eyes only). */
export async function readLogins(folder: string): Promise<Logins> {
  const path = join(folder, 'logins.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  })
  if (text !== null) return loginsSchema.parse(JSON.parse(text))
  const logins = { apiPassword: newPassword(), jobsPassword: newPassword() }
  await writeFile(path, JSON.stringify(logins), { mode: 0o600, flag: 'wx' })
  return logins
}
