// The rule "one run on one folder". The operating system drops the lock with the process that held it, however
// that process ended, so a lock can never be stale and is never broken by force.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'

export const lockFile = 'lock'
const sqliteBusy = 5

const sqliteError = z.object({ errcode: z.number() })

export interface FolderLock {
  release(): void
}

/**
 * Takes the folder's lock without waiting. Returns null when another process (or another caller in this one) holds it;
 * throws when the folder is not there or not writable. SQLite's exclusive lock is a file lock of the kernel's.
 */
export function tryLockFolder(folder: string): FolderLock | null {
  const database = new DatabaseSync(join(folder, lockFile))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (sqliteError.safeParse(error).data?.errcode === sqliteBusy) return null
    throw error
  }
  return { release: () => database.close() }
}
