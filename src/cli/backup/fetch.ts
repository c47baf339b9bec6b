// Copies a backup from the bucket into a folder.
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditKeys } from '../../audit/keys.ts'
import { backupPrefix, latestKey } from '../../backup/bucket.ts'
import { idPattern, macName, manifestName } from '../../backup/format.ts'
import { checkFiles, openManifest } from '../../backup/open-backup.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import type { BucketSource } from './bucket-source.ts'
import { forEach } from './for-each.ts'
import { saveErasures } from './fetched-erasures.ts'
import { folderOrigin, openNewBackup } from './folder.ts'
import { startSha256 } from './sha256.ts'

export interface Fetch {
  readonly source: BucketSource
  /** The newest one by default. */
  readonly id: string | undefined
  readonly to: string
  readonly keys: AuditKeys
}

async function idOf({ get }: BucketSource, given: string | undefined, folder: string): Promise<string> {
  if (given !== undefined && !idPattern.test(given)) throw misuse(`--id ${given} is not the id of a backup.`)
  if (given !== undefined) return given
  const file = join(folder, latestKey)
  await get(latestKey, file)
  const id = (await readFile(file, 'utf8')).trim()
  // Who can write to the bucket can write this object.
  if (!idPattern.test(id)) throw new Error(`The object ${latestKey} of the bucket does not hold the id of a backup.`)
  return id
}

/** A backup without the list of erasures: `restore` then demands one. */
class Incomplete extends Error {
  constructor(path: string, cause: Error) {
    super(`The backup is in ${path}, without the list of erasures. ${cause.message}`, { cause })
  }
}

/**
 * Returns the path of the copy, whose files are those that the manifest lists, and the list of erasures.
 * @throws Error where the list of erasures cannot be read; the copy of the backup is complete then
 */
export async function fetchBackup({ source, id: given, to, keys }: Fetch): Promise<string> {
  const temporary = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-fetch-'))
  try {
    const id = await idOf(source, given, temporary)
    await mkdir(to, { recursive: true, mode: 0o700 })
    const { folder, finish, discard } = await openNewBackup(to, id)
    try {
      const getFile = (file: string): Promise<void> => source.get(`${backupPrefix}${id}/${file}`, join(folder, file))
      await forEach([manifestName, macName], getFile)
      const manifest = await openManifest(folderOrigin(folder), keys)
      if (manifest.id !== id) throw new Error(`The bucket has the backup ${manifest.id} under the name ${id}.`)
      await forEach(
        manifest.tables.map(({ file }) => file),
        getFile,
      )
      await checkFiles(folderOrigin(folder), manifest, startSha256)
      const unlisted = await saveErasures(source, folder, keys)
      const path = await finish()
      if (unlisted !== null) throw new Incomplete(path, unlisted)
      return path
    } catch (error) {
      if (!(error instanceof Incomplete)) await discard()
      throw error
    }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}
