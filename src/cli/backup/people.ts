// Which people a restored database must erase again: those of the bucket, of a file, or of the list that came with the backup.
import type { AuditKeys } from '../../audit/keys.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { type BucketOptions, withBucket } from './bucket-source.ts'
import { type Erased, readErased } from './erased.ts'
import { erasuresOfBucket, readFetched } from './fetched-erasures.ts'

export interface PeopleOptions extends BucketOptions {
  readonly erasures?: string | undefined
}

/** A list is not used by itself when it is older: people may have been erased since. */
const freshMs = 86_400_000

async function fetchedPeople(folder: string, keys: AuditKeys, isNamed: boolean): Promise<Erased[]> {
  const fetched = await readFetched(folder, keys)
  if (fetched === null)
    throw misuse(
      'Say who was erased after the backup: --bucket NAME reads it from the bucket, --erasures FILE from the file of' +
        ' `erasure -- list`; --erasures none for nobody.',
    )
  if (!isNamed && Date.now() - Date.parse(fetched.fetched_at) > freshMs)
    throw misuse(
      `The backup's list of erasures is of ${fetched.fetched_at}: people may have been erased since. Read a newer one` +
        ' with --bucket NAME, or say --erasures fetched to take this one.',
    )
  return fetched.erasures
}

async function namedPeople(erasures: string | undefined, folder: string | null, keys: AuditKeys): Promise<Erased[]> {
  if (erasures === undefined || erasures === 'none') return []
  if (erasures !== 'fetched') return await readErased(erasures)
  if (folder === null) throw misuse('--erasures fetched needs the folder of a backup.')
  return await fetchedPeople(folder, keys, true)
}

/** @param folder of the backup, whose own list is used where nothing else is named; null where there is none */
export async function peopleToErase(
  options: PeopleOptions,
  folder: string | null,
  keys: AuditKeys,
): Promise<readonly Erased[]> {
  const { bucket, local, erasures } = options
  const isBucketNamed = bucket !== undefined || local !== undefined
  if (!isBucketNamed && erasures === undefined) {
    if (folder !== null) return await fetchedPeople(folder, keys, false)
    throw misuse('Say who was erased since: --bucket NAME, or --erasures FILE; --erasures none for nobody.')
  }
  const named = await namedPeople(erasures, folder, keys)
  const inBucket = isBucketNamed ? await withBucket(options, (source) => erasuresOfBucket(source, keys)) : []
  const byErasure = [...named, ...inBucket].map((each): [string, Erased] => [
    `${each.subject_hash} ${Date.parse(each.requested_at)}`,
    each,
  ])
  return [...new Map(byErasure).values()]
}
