// Copies erasures into the bucket of backups, where a restoration finds them even if the database is lost. An erasure never
// waits for the bucket and never fails because of it: the cron copies what is not there yet.
import type { Bucket } from '../backup/bucket.ts'
import { openTombstone, tombstoneKey, tombstoneText } from '../backup/tombstones.ts'
import type { Ctx } from '../context.ts'
import {
  countLongUncopied,
  findUncopied,
  listUncopied,
  noteCopied,
  type Uncopied,
} from '../db/privacy/erasure-copies.ts'
import { withTimeout } from '../timeout.ts'

/** How long one copy may take: also what the response of a request waits for a bucket that hangs. */
const copyMs = 3000
/** After this time, a run begins no copy. The cron gives it a minute. */
const runMs = 45_000
/** Copies of one run of the cron. */
const most = 200
/** A bucket that is down would take the whole time of the cron. */
const mostFailures = 5

/** Reads first: a locked object cannot be written again. */
async function store({ services: { auditKeys } }: Ctx, bucket: Bucket, erasure: Uncopied): Promise<void> {
  const key = tombstoneKey(erasure)
  const held = await bucket.get(key)
  const opened = held === null ? 'invalid' : await openTombstone(auditKeys, key, await held.text())
  if (typeof opened === 'string') await bucket.put(key, await tombstoneText(auditKeys, erasure))
}

/** Whether the bucket has the erasure. Never rejects. */
async function isStored(ctx: Ctx, bucket: Bucket, erasure: Uncopied): Promise<boolean> {
  try {
    await withTimeout(copyMs, store(ctx, bucket, erasure))
    return true
  } catch (error) {
    ctx.log.warn('erasure_not_copied', { target_id: erasure.id, error })
    return false
  }
}

/** Copies one erasure, unless it is copied. Never rejects. */
export async function copyErasure(ctx: Ctx, id: string): Promise<void> {
  const { backups: bucket, jobs } = ctx.services
  if (bucket === null) return
  try {
    const erasure = await findUncopied(jobs, id)
    if (erasure !== null && (await isStored(ctx, bucket, erasure))) await noteCopied(jobs, id)
  } catch (error) {
    ctx.log.warn('erasure_not_copied', { target_id: id, error })
  }
}

/**
 * Copies the erasures that no request could copy, also those from before there was a bucket, until the time is used up: the
 * next run copies the rest. A run that dies has noted what it copied.
 */
export async function copyErasures(ctx: Ctx): Promise<void> {
  const { backups: bucket, jobs } = ctx.services
  if (bucket === null) return
  const endMs = ctx.now().getTime() + runMs
  let failed = 0
  for (const erasure of await listUncopied(jobs, most)) {
    if (failed === mostFailures || ctx.now().getTime() >= endMs) return
    if (await isStored(ctx, bucket, erasure)) await noteCopied(jobs, erasure.id)
    else failed += 1
  }
}

/** Each hour. */
export async function reportUncopiedErasures({ services, log }: Ctx): Promise<void> {
  if (services.backups === null) return
  const count = await countLongUncopied(services.jobs)
  if (count > 0) log.error('erasures_not_copied', { count })
}
