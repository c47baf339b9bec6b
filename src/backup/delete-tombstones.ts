// Deletes the copies of erasures that no backup needs any more. As long as a backup has a person, so has the bucket the
// tombstone that keeps a restoration from bringing the person back.
import type { Ctx } from '../context.ts'
import { listNeedless } from '../db/privacy/erasure-copies.ts'
import { type Bucket, erasurePrefix, listObjects } from './bucket.ts'
import { bucketHasMs, tombstoneOfKey } from './tombstones.ts'

/** Objects of one call of the bucket: R2 deletes at most a thousand. */
const most = 1000

/** @param oldest when the oldest backup of the bucket began; null where it has none */
export async function deleteTombstones(ctx: Ctx, bucket: Bucket, oldest: Date | null): Promise<void> {
  const windowBegin = ctx.now().getTime() - bucketHasMs
  const begin = new Date(Math.min(windowBegin, oldest?.getTime() ?? windowBegin))
  const copies = (await listObjects(bucket, erasurePrefix)).flatMap(({ key, uploaded }) => {
    const named = tombstoneOfKey(key)
    return named === null || uploaded >= begin ? [] : [{ key, ...named }]
  })
  for (let at = 0; at < copies.length; at += most) {
    const keys = await listNeedless(ctx.services.jobs, copies.slice(at, at + most), begin)
    if (keys.length === 0) continue
    try {
      await bucket.delete([...keys])
      ctx.log.info('erasure_copies_deleted', { count: keys.length })
    } catch (error) {
      // The bucket's lock may keep objects for longer. The next cleanup tries again.
      ctx.log.warn('erasure_copies_not_deleted', { count: keys.length, error })
    }
  }
}
