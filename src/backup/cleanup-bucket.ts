// Deletes from the bucket what is kept no longer: old backups, and what is left of unfinished ones. The newest good backup
// stays, however old it is.
import { audit } from '../audit/audit.ts'
import type { AuditKeys } from '../audit/keys.ts'
import type { Ctx } from '../context.ts'
import { recordDeleted } from '../db/operations/backups.ts'
import { type Bucket, type BucketObject, backupPrefix, listObjects, unfinishedPrefix } from './bucket.ts'
import { backupTime, idPattern, manifestName } from './format.ts'
import { openManifest, type Origin } from './open-backup.ts'
import { deleteTombstones } from './delete-tombstones.ts'

const dayMs = 86_400_000

/** The objects of one backup by the name of their file. */
interface Stored {
  readonly id: string
  readonly objects: ReadonlyMap<string, BucketObject>
}

/** What the bucket holds under the ids of backups, newest first; the ids begin with the time. */
async function listStored(bucket: Bucket): Promise<Stored[]> {
  const byId = new Map<string, Map<string, BucketObject>>()
  for (const object of await listObjects(bucket, backupPrefix)) {
    const [id = '', file = ''] = object.key.slice(backupPrefix.length).split('/')
    if (!idPattern.test(id)) continue
    const objects = byId.get(id) ?? new Map<string, BucketObject>()
    byId.set(id, objects.set(file, object))
  }
  return [...byId].map(([id, objects]) => ({ id, objects })).toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

/** The files of one backup in the bucket. */
export const bucketOrigin = (bucket: Bucket, id: string): Origin => ({
  read: async (file) => {
    const found = await bucket.get(`${backupPrefix}${id}/${file}`)
    if (found === null) throw new Error(`The bucket has no ${backupPrefix}${id}/${file}.`)
    return found.body
  },
})

/** Whether the manifest is authentic and every file has its size. The content is for `verify`, which has the key. */
async function isGood(bucket: Bucket, keys: AuditKeys, { id, objects }: Stored): Promise<boolean> {
  if (!objects.has(manifestName)) return false
  try {
    const { tables } = await openManifest(bucketOrigin(bucket, id), keys)
    return tables.every(({ file, bytes }) => objects.get(file)?.size === bytes)
  } catch {
    return false
  }
}

async function findNewestGood(bucket: Bucket, keys: AuditKeys, stored: readonly Stored[]): Promise<Stored | null> {
  for (const each of stored) if (await isGood(bucket, keys, each)) return each
  return null
}

/** The manifest first: what is deleted in part is never taken for a backup. */
async function deleteBackup(bucket: Bucket, { id, objects }: Stored): Promise<void> {
  if (objects.has(manifestName)) await bucket.delete([`${backupPrefix}${id}/${manifestName}`])
  await bucket.delete([...objects.values()].map(({ key }) => key))
}

/** R2 ends an upload itself a week after its begin: https://developers.cloudflare.com/r2/buckets/object-lifecycles/ */
const uploadLifeMs = 8 * dayMs

/**
 * Ends uploads that were begun more than a day ago and never completed. Returns how many. The note of an upload that does
 * not end stays for the next cleanup, until R2 has ended the upload itself.
 */
async function abortUploads(bucket: Bucket, nowMs: number, log: Ctx['log']): Promise<number> {
  const begunBefore = (ms: number) => (object: BucketObject) => object.uploaded.getTime() < nowMs - ms
  const old = (await listObjects(bucket, unfinishedPrefix)).filter(begunBefore(dayMs))
  let aborted = 0
  for (const object of old) {
    const file = object.key.slice(unfinishedPrefix.length)
    try {
      const uploadId = await (await bucket.get(object.key))?.text()
      if (uploadId !== undefined) await bucket.resumeMultipartUpload(`${backupPrefix}${file}`, uploadId).abort()
      aborted += 1
    } catch (error) {
      log.warn('backup_upload_not_aborted', { target_id: file, error })
      if (!begunBefore(uploadLifeMs)(object)) continue
    }
    await bucket.delete([object.key])
  }
  return aborted
}

/** Deletes backups past `BACKUP_RETENTION_DAYS`, and what was left unfinished for more than a day. */
export async function cleanupBackups(ctx: Ctx): Promise<void> {
  const { config, backups: bucket, auditKeys, jobs } = ctx.services
  if (bucket === null) return
  const nowMs = ctx.now().getTime()
  const stored = await listStored(bucket)
  const good = await findNewestGood(bucket, auditKeys, stored)
  if (good === null && stored.length > 0) ctx.log.error('backup_none_good', { count: stored.length })
  const expired = new Date(nowMs - config.backupRetentionDays * dayMs)
  const yesterday = new Date(nowMs - dayMs)
  const due = stored.filter((each) => {
    if (!each.objects.has(manifestName)) return backupTime(each.id) < yesterday
    return good !== null && each.id < good.id && backupTime(each.id) < expired
  })
  const rows = await Promise.all(due.map(({ id }) => audit(ctx, { action: 'backup_deleted', target: id })))
  await recordDeleted(jobs, rows)
  let failed = 0
  for (const each of due)
    await deleteBackup(bucket, each).catch((error: unknown) => {
      // The bucket's lock may keep objects for longer than the retention.
      failed += 1
      ctx.log.warn('backup_not_deleted', { target_id: each.id, error })
    })
  const aborted = await abortUploads(bucket, nowMs, ctx.log)
  ctx.log.info('backups_cleaned', { removed: due.length - failed, failed, count: aborted })
  // The oldest of what is left, also where the lock kept it. Last: it may fail, and nothing else waits for it.
  const oldest = (await listStored(bucket)).at(-1)
  await deleteTombstones(ctx, bucket, oldest === undefined ? null : backupTime(oldest.id))
}
