// The copies of erasures in the bucket: that each erasure has one, also after a failure, and how long it stays.
import { describe, expect, it } from 'vitest'
import type { Bucket } from '../../../src/backup/bucket.ts'
import { cleanupBackups } from '../../../src/backup/cleanup-bucket.ts'
import { openTombstone, tombstoneText } from '../../../src/backup/tombstones.ts'
import type { Ctx, User } from '../../../src/context.ts'
import type { Erasure } from '../../../src/db/privacy/erasures.ts'
import { copyErasures, reportUncopiedErasures } from '../../../src/privacy/copy-erasures.ts'
import { requestErasure } from '../../../src/privacy/request-erasure.ts'
import { failAt } from '../../support/fault-injection.ts'
import { link } from '../../support/linked.ts'
import { backupOf, bucket, cron, dayMs, idsIn, keysIn, useBackups, withCalls, world } from './backups.ts'

useBackups()

const away = withCalls({
  get: () => Promise.reject(new Error('the bucket is away')),
  put: () => Promise.reject(new Error('the bucket is away')),
})

const personOf = (subject: string, other: Bucket = bucket): Ctx<User> => ({
  ...world.user(subject),
  services: { ...world.services, backups: other },
})

/** Erases a person who has linked a bank. */
async function erase(subject: string, other?: Bucket): Promise<Erasure> {
  await link(world, subject)
  return await requestErasure(personOf(subject, other), null)
}

const textOf = async (key: string): Promise<string> => (await (await bucket.get(key))?.text()) ?? ''
const isCopied = async (id: string): Promise<unknown> =>
  (await world.sql('select copied_at is not null as copied from erasures where id = $1', [id]))[0]?.['copied']

const countCopied = async (ids: readonly string[]): Promise<number> =>
  (await Promise.all(ids.map(isCopied))).filter((copied) => copied === 't').length

/** The erasure as if it and its copy were of so many days ago. */
async function age({ id }: Erasure, days: number): Promise<void> {
  await world.sql(
    `update erasures set requested_at = requested_at - $2::int * interval '1 day',
      completed_at = completed_at - $2::int * interval '1 day', copied_at = null where id = $1`,
    [id, days],
  )
  for (const key of await keysIn('erasures/')) await bucket.delete([key])
  await copyErasures(cron())
}

/** The bucket as if each object were of so many days ago. */
const aged = (days: number): Bucket =>
  withCalls({
    list: async (options) => {
      const page = await bucket.list(options)
      const objects = page.objects.map(({ key, size, uploaded }) => ({
        key,
        size,
        uploaded: new Date(uploaded.getTime() - days * dayMs),
      }))
      return { ...page, objects }
    },
  })

describe('an erasure', () => {
  it('has a copy in the bucket when its request ends, which holds a hash and a time', async () => {
    const { id, subjectHash, requestedAt } = await erase('copied')
    const [key = ''] = await keysIn('erasures/')
    expect(key).toBe(`erasures/${requestedAt.toISOString().replaceAll(/[-:.]/g, '')}-${subjectHash}.json`)
    const text = await textOf(key)
    const tombstone = { id, subject_hash: subjectHash, requested_at: requestedAt.toISOString() }
    expect(JSON.parse(text)).toEqual({ ...tombstone, key_id: 'a1', mac: expect.any(String) })
    expect(await openTombstone(world.services.auditKeys, key, text)).toEqual(tombstone)
    expect(await isCopied(id)).toBe('t')
  })

  it('completes while the bucket is down, and the cron copies it later', async () => {
    const { id, completedAt } = await erase('bucket down', away)
    expect(completedAt).not.toBeNull()
    expect([await keysIn('erasures/'), await isCopied(id)]).toEqual([[], 'f'])
    expect(world.lines.join('\n')).toContain('"event":"erasure_not_copied"')
    await copyErasures(cron({ bucket: away }))
    expect(await isCopied(id)).toBe('f')
    await copyErasures(cron())
    expect([await keysIn('erasures/'), await isCopied(id)]).toEqual([[expect.any(String)], 't'])
  })

  it('completes while the bucket hangs, and its response waits for seconds only', async () => {
    const { promise: never } = Promise.withResolvers<never>()
    await link(world, 'bucket hangs')
    const begun = Date.now()
    const { completedAt } = await requestErasure(personOf('bucket hangs', withCalls({ get: () => never })), null)
    expect(completedAt).not.toBeNull()
    // A request waits for 20 seconds at most for the erasure itself.
    expect(Date.now() - begun).toBeLessThan(15_000)
    await copyErasures(cron())
  })

  it('is written once, also where the bucket locks what it has', async () => {
    const { id } = await erase('copied twice')
    await world.sql('update erasures set copied_at = null where id = $1', [id])
    const locked = withCalls({ put: () => Promise.reject(new Error('the object is locked')) })
    await copyErasures(cron({ bucket: locked }))
    expect([await keysIn('erasures/'), await isCopied(id)]).toEqual([[expect.any(String)], 't'])
  })

  it('replaces an object under its name that the Worker did not write', async () => {
    const { id, subjectHash, requestedAt } = await erase('forged')
    const [key = ''] = await keysIn('erasures/')
    const other = { id, subject_hash: '0'.repeat(64), requested_at: requestedAt.toISOString() }
    const { auditKeys } = world.services
    for (const forged of [
      '',
      '{"id": 1}',
      (await textOf(key)).replace(id, '00000000-0000-4000-8000-000000000000'),
      await tombstoneText(auditKeys, other),
    ]) {
      await bucket.put(key, forged)
      expect(await openTombstone(auditKeys, key, forged)).toBe('invalid')
      await world.sql('update erasures set copied_at = null where id = $1', [id])
      await copyErasures(cron())
      expect(await openTombstone(auditKeys, key, await textOf(key))).toMatchObject({ id, subject_hash: subjectHash })
    }
  })

  it('has its copy wherever the isolate dies', async () => {
    for (const fault of ['dies before', 'dies after'] as const)
      for (let call = 2; call <= 10; call += 2) {
        const subject = `dies ${fault} ${call}`
        await link(world, subject)
        const { services } = failAt(personOf(subject).services, { call, fault })
        await requestErasure({ ...world.user(subject), services }, null).catch(() => undefined)
        const { subjectHash } = await requestErasure(personOf(subject), null)
        await copyErasures(cron())
        const keys = (await keysIn('erasures/')).filter((key) => key.includes(subjectHash))
        expect([subject, keys.length]).toEqual([subject, 1])
      }
  })

  it('is copied although the copy of another one fails', async () => {
    const first = await erase('cannot be copied', away)
    const second = await erase('can be copied', away)
    const refusing = withCalls({
      put: async (key, ...given) => {
        if (key.includes(first.subjectHash)) throw new Error('the object is locked')
        return await bucket.put(key, ...given)
      },
    })
    await copyErasures(cron({ bucket: refusing }))
    expect([await isCopied(first.id), await isCopied(second.id)]).toEqual(['f', 't'])
    await copyErasures(cron())
  })

  it('is noted as copied before the next copy begins, so that a run that dies has lost none', async () => {
    const ids = [(await erase('noted first', away)).id, (await erase('noted second', away)).id]
    const copiedBefore: number[] = []
    const watched = withCalls({
      put: async (...given) => {
        copiedBefore.push(await countCopied(ids))
        return await bucket.put(...given)
      },
    })
    await copyErasures(cron({ bucket: watched }))
    expect(copiedBefore).toEqual([0, 1])
  })

  it('is copied by the next run where the time of this one is used up, which is no failure', async () => {
    const ids = [(await erase('in time', away)).id, (await erase('too late', away)).id]
    world.lines.length = 0
    let nowMs = Date.now()
    const slow = withCalls({
      put: async (...given) => {
        nowMs += 46_000
        return await bucket.put(...given)
      },
    })
    await copyErasures({ ...cron({ bucket: slow }), now: () => new Date(nowMs) })
    expect(await countCopied(ids)).toBe(1)
    expect(world.lines).toEqual([])
    await copyErasures(cron())
    expect(await countCopied(ids)).toBe(2)
  })

  it('raises an alarm when it was not copied for two hours', async () => {
    const { id } = await erase('waits', away)
    const report = async (): Promise<string> => {
      world.lines.length = 0
      await reportUncopiedErasures(cron())
      return world.lines.join('\n')
    }
    expect(await report()).toBe('')
    await world.sql("update erasures set requested_at = requested_at - interval '121 minutes' where id = $1", [id])
    expect(await report()).toContain('"event":"erasures_not_copied"')
    await copyErasures(cron())
    expect(await report()).toBe('')
  })
})

describe('the copy of an erasure', () => {
  const clean = async (days: number): Promise<string[]> => {
    await cleanupBackups(cron({ bucket: aged(days) }))
    return await keysIn('erasures/')
  }

  it('stays while the bucket has a backup from before, and goes with the last one', async () => {
    const old = await backupOf(50)
    const erasure = await erase('in an old backup')
    await age(erasure, 45)
    const newer = await backupOf(40)
    await backupOf(0)
    const locked = withCalls({
      list: (options) => aged(45).list(options),
      delete: async (keys) => {
        if (keys.some((key) => key.includes(old))) throw new Error('the object is locked')
        await bucket.delete(keys)
      },
    })
    await cleanupBackups(cron({ bucket: locked }))
    expect([await idsIn(), await keysIn('erasures/')]).toMatchObject([{}, [expect.any(String)]])
    expect(await idsIn()).not.toContain(newer)
    expect(await clean(45)).toEqual([])
    expect(await idsIn()).toHaveLength(1)
  })

  it('stays for thirty days where no backup is older, and an hour more', async () => {
    const erasure = await erase('in the restore window')
    await age(erasure, 30)
    expect(await clean(30)).toHaveLength(1)
    await age(erasure, 1)
    expect(await clean(31)).toEqual([])
  })

  it('stays until the erasure is complete', async () => {
    const erasure = await erase('incomplete')
    await age(erasure, 90)
    await world.sql('update erasures set completed_at = null where id = $1', [erasure.id])
    expect(await clean(90)).toHaveLength(1)
    await world.sql('update erasures set completed_at = requested_at where id = $1', [erasure.id])
    expect(await clean(90)).toEqual([])
  })

  it('stays while a backup of the command is recorded that is older', async () => {
    const erasure = await erase('in a backup of a command')
    await age(erasure, 90)
    await world.sql(`insert into backups (id, place, state, started_at)
      values ('20200101T000000Z-00000001', 'command', 'complete', now() - interval '91 days')`)
    expect(await clean(90)).toHaveLength(1)
    await world.sql("update backups set started_at = now() - interval '80 days'")
    expect(await clean(90)).toEqual([])
  })

  it('stays where this database does not know the erasure', async () => {
    const key = `erasures/20200101T000000000Z-${'0'.repeat(64)}.json`
    await bucket.put(key, 'of another database')
    expect(await clean(90)).toEqual([key])
  })
})
