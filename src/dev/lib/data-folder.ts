// Where the local stack stores its data, and who can open that folder. PostgreSQL refuses to run as root, so under root
// the server runs as another user, who must be able to reach the data. Never opens a folder that its owner closed.
import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { nullIfMissing } from './missing.ts'

/** The conventional ids of `nobody`. */
const unprivileged: ServerUser = { uid: 65_534, gid: 65_534 }

export interface ServerUser {
  uid: number
  gid: number
}

/**
 * The user that runs the server: null for the user of this process, otherwise the owner of existing data, or `nobody`.
 */
export async function serverUser(clusterFolder: string): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null
  const existing = await stat(clusterFolder).catch(nullIfMissing)
  return existing === null || existing.uid === 0 ? unprivileged : { uid: existing.uid, gid: existing.gid }
}

/** The first folder on the path to `path` (itself included, if it exists) that `user` may not enter, or null. */
export async function closedFolder(path: string, user: ServerUser): Promise<string | null> {
  const parent = dirname(path)
  const above = parent === path ? null : await closedFolder(parent, user)
  if (above !== null) return above
  const found = await stat(path).catch(nullIfMissing)
  if (found === null) return null
  const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0
  return (found.mode & (0o1 << shift)) === 0 ? path : null
}

/** Makes a folder that only its owner can read and write. The server's user, if another, can pass through it. */
async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 })
  if (made === undefined || process.getuid?.() !== 0) return
  for (let folder = path; folder.length >= made.length; folder = dirname(folder)) await chmod(folder, 0o711)
}

async function makeTemporaryFolder(projectFolder: string): Promise<string> {
  const project = createHash('sha256').update(projectFolder).digest('hex').slice(0, 12)
  const path = join(tmpdir(), `wealthnavigator-edge-${process.getuid?.() ?? 'user'}-${project}`)
  await makeFolder(path)
  const found = await lstat(path)
  // The name can be guessed, so a folder of another user is refused.
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${path} belongs to another user or is open to others: remove it, or set DATA_DIR.`)
  }
  return path
}

/**
 * The folder for persisted data, made if missing: `given` (from DATA_DIR), else `.data` in the project. If the server's
 * user cannot reach that, a folder of this project under the system's temporary directory.
 * @throws Error with the remedy if the server's user cannot enter the given folder
 */
export async function persistentFolder(given: string | undefined, projectFolder: string): Promise<string> {
  const path = resolve(projectFolder, given ?? '.data')
  const user = await serverUser(join(path, 'postgres'))
  const closed = user === null ? null : await closedFolder(path, user)
  if (closed === null) {
    await makeFolder(path)
    return path
  }
  if (given === undefined) return makeTemporaryFolder(projectFolder)
  throw new Error(
    `DATA_DIR=${given} cannot be used: as root, PostgreSQL runs as user ${user?.uid ?? ''}, who may not enter ${closed}. ` +
      `Run \`chmod o+x ${closed}\`, or choose another DATA_DIR.`,
  )
}
