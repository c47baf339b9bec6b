// The Worker's backups over a real database and a local R2 bucket.
import { env } from 'cloudflare:workers'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { afterAll, afterEach, beforeAll, inject } from 'vitest'
import { type Bucket, listObjects } from '../../../src/backup/bucket.ts'
import { runBackup } from '../../../src/backup/run-backup.ts'
import type { Ctx, Services } from '../../../src/context.ts'
import { linkAndSync } from '../../support/linked.ts'
import { createWorld, type World } from '../../support/world.ts'

declare global {
  namespace Cloudflare {
    interface Env {
      BACKUPS: R2Bucket
    }
  }
}

export const dayMs = 86_400_000

export let world: World
export let bucket: Bucket
let recipient: string
/** Starts the world of the test file that calls it. */
export function useBackups(): void {
  beforeAll(async () => {
    world = await createWorld(inject('control'), { rateLimits: false })
    bucket = env.BACKUPS
    recipient = await identityToRecipient(await generateIdentity())
    await linkAndSync(world, 'saver')
  })
  afterAll(() => world.stop())
  afterEach(async () => {
    for (const { key } of await listObjects(bucket, '')) await bucket.delete([key])
    await world.sql('delete from backups')
    world.lines.length = 0
  })
}

interface Changed {
  readonly bucket?: Bucket
  readonly databaseUrl?: string
  readonly now?: Date
}

/** The context of a cron that backs up into the bucket. */
export function cron({ bucket: other = bucket, databaseUrl = world.database.backupUrl, now }: Changed = {}): Ctx {
  const { config } = world.services
  const services: Services = {
    ...world.services,
    backups: other,
    config: { ...config, strict: true, backup: { recipients: [recipient], databaseUrl } },
  }
  return {
    ...world.job(services),
    actor: { kind: 'cron', name: 'backup' },
    ...(now === undefined ? {} : { now: () => now }),
  }
}

export const keysIn = async (prefix: string): Promise<string[]> =>
  (await listObjects(bucket, prefix)).map(({ key }) => key)
export const idsIn = async (): Promise<string[]> => [
  ...new Set((await keysIn('backups/')).map((key) => key.split('/')[1] ?? '')),
]
export const actions = async (id: string): Promise<unknown[]> =>
  (await world.sql('select action from audit_log where target_id = $1 order by at, id', [id])).map(
    (row) => row['action'],
  )

/** Creates a backup as of so many days ago, and returns its id. */
export async function backupOf(daysAgo: number): Promise<string> {
  const known = new Set(await idsIn())
  await runBackup(cron({ now: new Date(Date.now() - daysAgo * dayMs) }))
  return (await idsIn()).find((id) => !known.has(id)) ?? ''
}

/** The bucket, in which some calls fail or do something else. */
export const withCalls = (changed: Partial<Bucket>): Bucket => ({
  put: (...given) => bucket.put(...given),
  get: (key) => bucket.get(key),
  list: (options) => bucket.list(options),
  delete: (keys) => bucket.delete(keys),
  createMultipartUpload: (key) => bucket.createMultipartUpload(key),
  resumeMultipartUpload: (key, id) => bucket.resumeMultipartUpload(key, id),
  ...changed,
})
