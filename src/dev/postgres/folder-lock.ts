// Makes sure that one run at a time uses a folder. The operating system releases the lock when its process ends,
// however it ends, so a lock is never stale and never needs to be broken.
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
 * Takes the folder's lock without waiting. Returns null if another process (or another caller in this one) holds it.
 * SQLite's exclusive lock is a file lock of the kernel's.
 * @throws Error if the folder is missing or not writable
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
