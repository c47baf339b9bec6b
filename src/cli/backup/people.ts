// Which people a restored database must erase again: those of the bucket, of a file, or of the list that came with the backup.
import type { AuditKeys } from '../../audit/keys.ts'
import { openManifest } from '../../backup/open-backup.ts'
import { bucketHasMs, type Tombstone } from '../../backup/tombstones.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { type BucketOptions, withBucket } from './bucket-source.ts'
import { clockToleranceMs, type ErasedList, readErased } from './erased.ts'
import { erasuresOfBucket, readFetched } from './fetched-erasures.ts'
import { folderOrigin } from './folder.ts'

export interface PeopleOptions extends BucketOptions {
  readonly erasures?: string | undefined
  /** Takes the file of `erasures` alone, although it is old or has no time. */
  readonly 'however-old'?: boolean | undefined
}

/** A list is not used by itself when it is older: people may have been erased since. */
const freshMs = 86_400_000

/** A time in the future is of a wrong clock, and says nothing about an age. */
function isWithin(at: string, ms: number): boolean {
  const ageMs = Date.now() - Date.parse(at)
  return ageMs >= -clockToleranceMs && ageMs <= ms
}

const describeAge = ({ completeAt }: ErasedList): string =>
  completeAt === null ? 'has no time (listed_at)' : `is of ${completeAt}`

async function fetchedPeople(folder: string, keys: AuditKeys, isNamed: boolean): Promise<ErasedList> {
  const fetched = await readFetched(folder, keys)
  if (fetched === null)
    throw misuse(
      'Say who was erased after the backup: --bucket NAME reads it from the bucket, --erasures FILE from the file of' +
        ' `erasure -- list`; --erasures none for no one.',
    )
  if (!isNamed && !isWithin(fetched.fetched_at, freshMs))
    throw misuse(
      `The backup's list of erasures is of ${fetched.fetched_at}: people may have been erased since. Read a newer one` +
        ' with --bucket NAME, or say --erasures fetched to take this one.',
    )
  return { completeAt: fetched.fetched_at, erasures: fetched.erasures }
}

/** Null where no list is named, or `none`. */
async function namedPeople(
  erasures: string | undefined,
  folder: string | null,
  keys: AuditKeys,
): Promise<ErasedList | null> {
  if (erasures === undefined || erasures === 'none') return null
  if (erasures !== 'fetched') return await readErased(erasures)
  if (folder === null) throw misuse('--erasures fetched needs the folder of a backup.')
  return await fetchedPeople(folder, keys, true)
}

/** @throws Error for a file that is the only list, and which may not have everyone */
function refuseOldFile(list: ErasedList): void {
  if (list.completeAt !== null && isWithin(list.completeAt, freshMs)) return
  throw misuse(
    `The list of --erasures ${describeAge(list)}: people may have been erased since. Name the bucket, too` +
      ' (--bucket NAME), or a list of the last day; or say --however-old to take this one.',
  )
}

const isInBucket = (at: string): boolean => isWithin(at, bucketHasMs)

/**
 * @param list that is named next to the bucket; null where there is none
 * @throws Error for a backup from before the time for which the bucket certainly has every erasure, unless the list reaches
 *   into that time
 */
async function refuseGap(folder: string, keys: AuditKeys, list: ErasedList | null): Promise<void> {
  const { created_at: at } = await openManifest(folderOrigin(folder), keys)
  if (isInBucket(at) || (list !== null && list.completeAt !== null && isInBucket(list.completeAt))) return
  const why =
    `The backup is of ${at}, and the bucket may have deleted erasures from before the last 30 days: people who were erased` +
    ' after the backup would be back.'
  if (list === null)
    throw misuse(
      `${why} Say --erasures, too: FILE of \`erasure -- list\`, or fetched if the list in the backup was fetched within` +
        ' these 30 days.',
    )
  throw misuse(`${why} The list of --erasures ${describeAge(list)}: name one of the last 30 days.`)
}

/** @param folder of the backup, whose own list is used where nothing else is named; null where there is none */
export async function peopleToErase(
  options: PeopleOptions,
  folder: string | null,
  keys: AuditKeys,
): Promise<readonly Tombstone[]> {
  const { bucket, local, erasures } = options
  const isBucketNamed = bucket !== undefined || local !== undefined
  const isFileAlone = !isBucketNamed && erasures !== undefined && erasures !== 'none' && erasures !== 'fetched'
  const takesAnyAge = options['however-old'] === true
  if (takesAnyAge && !isFileAlone) throw misuse('--however-old is for --erasures FILE without a bucket.')
  if (!isBucketNamed && erasures === undefined) {
    if (folder !== null) return (await fetchedPeople(folder, keys, false)).erasures
    throw misuse('Say who was erased since: --bucket NAME, or --erasures FILE; --erasures none for no one.')
  }
  const named = await namedPeople(erasures, folder, keys)
  if (isFileAlone && !takesAnyAge && named !== null) refuseOldFile(named)
  if (isBucketNamed && erasures !== 'none' && folder !== null) await refuseGap(folder, keys, named)
  const inBucket = isBucketNamed ? await withBucket(options, (source) => erasuresOfBucket(source, keys)) : []
  const byErasure = [...(named?.erasures ?? []), ...inBucket].map((each): [string, Tombstone] => [
    `${each.subject_hash} ${Date.parse(each.requested_at)}`,
    each,
  ])
  return [...new Map(byErasure).values()]
}
