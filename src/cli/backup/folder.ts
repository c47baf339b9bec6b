// Backups in a folder of this machine: each in a separate folder, named by its id.
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Destination } from '../../backup/create-backup.ts'
import { idPattern, manifestName } from '../../backup/format.ts'
import type { Origin } from '../../backup/open-backup.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'

const unfinished = '.partial'

async function flush(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A backup that is being written. `finish` gives it its name, so that a folder with that name is always complete. */
export interface NewBackup {
  /** Where the files are until then. */
  readonly folder: string
  readonly destination: Destination
  readonly finish: () => Promise<string>
  readonly discard: () => Promise<void>
}

export async function openNewBackup(folder: string, id: string): Promise<NewBackup> {
  const path = join(folder, id)
  const partial = `${path}${unfinished}`
  await mkdir(partial, { recursive: true, mode: 0o700 })
  const write: Destination['write'] = async (file, content) => {
    const target = join(partial, file)
    await content.pipeTo(Writable.toWeb(createWriteStream(target, { flags: 'wx', mode: 0o600 })))
    await flush(target)
  }
  return {
    folder: partial,
    destination: { write },
    finish: async () => {
      await rename(partial, path)
      await flush(folder)
      return path
    },
    discard: () => rm(partial, { recursive: true, force: true }),
  }
}

const chunkBytes = 256 * 1024

/** The files of one backup. */
export const folderOrigin = (path: string): Origin => ({
  read: async (file) => {
    const handle = await open(join(path, file), 'r')
    return new ReadableStream({
      pull: async (controller) => {
        const { bytesRead, buffer } = await handle.read(new Uint8Array(chunkBytes), 0, chunkBytes)
        if (bytesRead > 0) return controller.enqueue(buffer.subarray(0, bytesRead))
        await handle.close()
        controller.close()
      },
      cancel: () => handle.close(),
    })
  },
})

const isBackup = async (path: string): Promise<boolean> =>
  (await stat(join(path, manifestName)).catch(nullIfMissing)) !== null

/** Paths of the complete backups of a folder, oldest first; their names begin with the time. */
export async function listBackups(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory() && idPattern.test(entry.name))
  const paths = names.map(({ name }) => join(folder, name)).toSorted()
  const complete = await Promise.all(paths.map(isBackup))
  return paths.filter((_, index) => complete[index])
}
