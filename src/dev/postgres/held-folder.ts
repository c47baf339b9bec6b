// Decides which run may use a data folder, and clears what a killed run left: its server, its Worker and, for a
// throwaway folder, the folder. Changes nothing before it holds the folder's lock.
import { existsSync } from 'node:fs'
import { chmod, lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { persistentFolder } from '../lib/data-folder.ts'
import { stopLeftOverGroup } from '../lib/left-over-group.ts'
import { clusterName, stopLeftOverServer } from './cluster.ts'
import { type FolderLock, lockFile, tryLockFolder } from './folder-lock.ts'

const throwawayPrefix = 'wealthnavigator-edge-throwaway-'

export type Log = (message: string) => void

export interface HeldFolder {
  folder: string
  /** Made for this run; `release` removes it. */
  throwaway: boolean
  release(): Promise<void>
}

async function clearFolder(folder: string, log: Log): Promise<void> {
  const worker = await stopLeftOverGroup(folder)
  if (worker !== null) log(`stopped the Worker that an earlier run left behind (${worker})`)
  const server = await stopLeftOverServer(join(folder, clusterName))
  if (server !== null) log(`stopped the database server that an earlier run left behind (${server})`)
}

/** Removes the throwaway folders of killed runs. Those of running ones are locked. */
async function clearThrowaways(log: Log): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const folder = join(tmpdir(), name)
    const found = name.startsWith(throwawayPrefix) ? await lstat(folder).catch(() => null) : null
    if (!found?.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) continue
    const lock = lockIfThere(folder)
    if (lock === null) continue
    await clearFolder(folder, log)
    await rm(folder, { recursive: true, force: true })
    lock.release()
    log(`removed ${folder} of an earlier run`)
  }
}

/** Also null if the cleanup of another run removed the folder at this moment, before or after the lock. */
function lockIfThere(folder: string): FolderLock | null {
  try {
    const lock = tryLockFolder(folder)
    if (existsSync(join(folder, lockFile))) return lock
    lock?.release()
    return null
  } catch {
    return null
  }
}

function lockOwn(folder: string): FolderLock | null {
  try {
    return tryLockFolder(folder)
  } catch (error) {
    const remedy = 'it may belong to another user. Remove it, or set DATA_DIR to another folder.'
    throw new Error(`${folder} cannot be written to: ${remedy}`, { cause: error })
  }
}

/** A locked throwaway folder. The cleanup of another run can lock a new folder first; then the next one is tried. */
async function makeThrowaway(): Promise<HeldFolder> {
  const folder = await mkdtemp(join(tmpdir(), throwawayPrefix))
  await chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700)
  const lock = lockIfThere(folder)
  if (lock === null) return makeThrowaway()
  const release = async () => {
    await rm(folder, { recursive: true, force: true })
    lock.release()
  }
  return { folder, throwaway: true, release }
}

/**
 * Takes a data folder for this run: `:memory:` is a new one, undefined the project's default, anything else a path.
 * @throws Error if another run holds it, or if the database server's user could not enter it
 */
export async function holdFolder(dataDir: string | undefined, projectFolder: string, log: Log): Promise<HeldFolder> {
  if (dataDir === ':memory:') {
    await clearThrowaways(log)
    return makeThrowaway()
  }
  const folder = await persistentFolder(dataDir, projectFolder)
  const lock = lockOwn(folder)
  if (lock === null) {
    throw new Error(`${folder} is in use by another run: stop that one first, or set DATA_DIR to another folder.`)
  }
  await clearFolder(folder, log)
  return { folder, throwaway: false, release: () => Promise.resolve(lock.release()) }
}
