// What the weekly cleanup deletes, the alarms about backups, and the copies of the audit trail's checkpoints.
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { chainAudit } from '../../../src/audit/chain.ts'
import { bucketOrigin, cleanupBackups } from '../../../src/backup/cleanup-bucket.ts'
import { openManifest } from '../../../src/backup/open-backup.ts'
import { reportOverdueBackup } from '../../../src/backup/report-overdue.ts'
import { createCheckpointSaver } from '../../../src/backup/save-checkpoint.ts'
import { actions, backupOf, bucket, cron, dayMs, idsIn, keysIn, useBackups, withCalls, world } from './backups.ts'

useBackups()

describe('the weekly cleanup', () => {
  it('deletes what is older than the retention and keeps the rest', async () => {
    const [old, kept, newest] = [await backupOf(31), await backupOf(29), await backupOf(1)]
    await cleanupBackups(cron())
    expect((await idsIn()).toSorted()).toEqual([kept, newest].toSorted())
    expect(await actions(old)).toEqual(['backup_created', 'backup_deleted'])
    expect(await actions(kept)).toEqual(['backup_created'])
  })

  it('keeps the newest good backup, however old it and the damaged ones after it are', async () => {
    const [good, unfinished, changed, short] = [
      await backupOf(90),
      await backupOf(60),
      await backupOf(50),
      await backupOf(40),
    ]
    await bucket.delete([`backups/${unfinished}/manifest.json`])
    await bucket.put(`backups/${changed}/manifest.json`, '{}')
    await bucket.put(`backups/${short}/public.items.jsonl.gz.age`, 'cut off')
    await cleanupBackups(cron())
    expect(await idsIn()).toContain(good)
    expect(await idsIn()).not.toContain(unfinished)
    expect(await openManifest(bucketOrigin(bucket, good), world.services.auditKeys)).toMatchObject({ id: good })
  })

  it('deletes no backup where none is good, and raises an alarm', async () => {
    const only = await backupOf(90)
    await bucket.put(`backups/${only}/manifest.mac`, 'a1 AAAA\n')
    await cleanupBackups(cron())
    expect(await idsIn()).toEqual([only])
    expect(world.lines.join('\n')).toContain('backup_none_good')
  })

  it('deletes the files and ends the uploads that a killed Worker left, after a day', async () => {
    const killed = '20200101T000000Z-00000001'
    const upload = await bucket.createMultipartUpload(`backups/${killed}/public.transactions.jsonl.gz.age`)
    await upload.uploadPart(1, new Uint8Array(10))
    await bucket.put(`unfinished/${killed}/public.transactions.jsonl.gz.age`, upload.uploadId)
    await bucket.put(`backups/${killed}/public.items.jsonl.gz.age`, 'without a manifest')
    const running = await backupOf(0)
    await bucket.delete([`backups/${running}/manifest.json`])
    await cleanupBackups(cron())
    expect([await idsIn(), await keysIn('unfinished/')]).toEqual([
      [running],
      [`unfinished/${killed}/public.transactions.jsonl.gz.age`],
    ])
    await cleanupBackups(cron({ now: new Date(Date.now() + dayMs + 1000) }))
    expect([await idsIn(), await keysIn('unfinished/')]).toEqual([[], []])
    await expect(upload.uploadPart(2, new Uint8Array(10))).rejects.toThrow('does not exist')
  })

  it('tries again to end an upload that did not end, until R2 has ended it', async () => {
    const note = 'unfinished/20200101T000000Z-00000002/public.items.jsonl.gz.age'
    await bucket.put(note, 'an upload')
    const failing = withCalls({
      resumeMultipartUpload: (key, uploadId) => ({
        ...bucket.resumeMultipartUpload(key, uploadId),
        abort: () => Promise.reject(new Error('R2 does not answer')),
      }),
    })
    const after = (days: number) => cron({ bucket: failing, now: new Date(Date.now() + days * dayMs + 1000) })
    await cleanupBackups(after(2))
    expect(await keysIn('unfinished/')).toEqual([note])
    expect(world.lines.join('\n')).toContain('backup_upload_not_aborted')
    await cleanupBackups(after(8))
    expect(await keysIn('unfinished/')).toEqual([])
  })

  it('ends old uploads and says what it did, also where the copies of erasures cannot be listed', async () => {
    const killed = '20200101T000000Z-00000003/public.items.jsonl.gz.age'
    const upload = await bucket.createMultipartUpload(`backups/${killed}`)
    await bucket.put(`unfinished/${killed}`, upload.uploadId)
    const failing = withCalls({
      list: async (options) => {
        if (options.prefix === 'erasures/') throw new Error('R2 does not answer')
        return await bucket.list(options)
      },
    })
    const later = cron({ bucket: failing, now: new Date(Date.now() + dayMs + 1000) })
    await expect(cleanupBackups(later)).rejects.toThrow('R2 does not answer')
    expect(await keysIn('unfinished/')).toEqual([])
    expect(world.lines.join('\n')).toContain('"event":"backups_cleaned"')
  })

  it('continues where the bucket’s lock refuses a deletion', async () => {
    const [locked, old, newest] = [await backupOf(32), await backupOf(31), await backupOf(1)]
    const locking = withCalls({
      delete: async (keys) => {
        if (keys.some((key) => key.includes(locked))) throw new Error('the object is locked')
        await bucket.delete(keys)
      },
    })
    await cleanupBackups(cron({ bucket: locking }))
    expect((await idsIn()).toSorted()).toEqual([locked, newest].toSorted())
    expect(await idsIn()).not.toContain(old)
    expect(world.lines.join('\n')).toContain('backup_not_deleted')
  })

  it('deletes records after 400 days, but not the last backup and the last verified one', async () => {
    const insert = `insert into backups (id, place, state, started_at, verified_at)
      values ($1, 'bucket', 'complete', now() - $2::int * interval '1 day', $3::timestamptz)`
    await world.sql(insert, ['20200101T000000Z-00000001', '500', '2020-02-01'])
    await world.sql(insert, ['20200102T000000Z-00000002', '450', null])
    await world.sql(insert, ['20200103T000000Z-00000003', '410', null])
    await cleanupBackups(cron())
    expect(await world.sql('select id from backups order by id')).toEqual([
      { id: '20200101T000000Z-00000001' },
      { id: '20200103T000000Z-00000003' },
    ])
  })
})

describe('the hourly report', () => {
  const report = async (): Promise<string> => {
    world.lines.length = 0
    await reportOverdueBackup(cron())
    return world.lines.join('\n')
  }

  it('raises an alarm where the last backup is older than 26 hours', async () => {
    await backupOf(25 / 24)
    expect(await report()).toBe('')
    await world.sql("update backups set started_at = started_at - interval '2 hours'")
    expect(await report()).toContain('"event":"backup_overdue"')
  })

  it('raises an alarm where backups never worked, also where no run left a trace', async () => {
    expect(await report()).toBe('')
    await world.sql(
      "insert into backups (id, place, state, started_at) values ('x', 'bucket', 'running', now() - interval '27 hours')",
    )
    expect(await report()).toContain('backup_overdue')
    await world.sql('delete from backups')
    await world.sql("update users set created_at = created_at - interval '27 hours'")
    expect(await report()).toContain('backup_overdue')
    await world.sql("update users set created_at = created_at + interval '27 hours'")
  })

  it('warns where a strict deployment makes no backups', async () => {
    const { services, ...ctx } = cron()
    await reportOverdueBackup({ ...ctx, services: { ...services, config: { ...services.config, backup: null } } })
    expect(world.lines.join('\n')).toContain('backups_off')
  })
})

describe('checkpoints of the audit trail', () => {
  const mac = new Uint8Array(32).fill(7)
  const checkpoint = (number: number, at: string) => ({
    number,
    at: new Date(at),
    previous: null,
    heads: '',
    keyId: 'a1',
    mac,
  })

  it('are saved once a day, the first one, by every isolate together', async () => {
    for (const [isolate, numbers] of [
      [createCheckpointSaver(bucket), [1, 2]],
      [createCheckpointSaver(bucket), [3]],
    ] as const)
      for (const number of numbers) await isolate(checkpoint(number, `2026-03-02T0${number}:00:00Z`))
    await createCheckpointSaver(bucket)(checkpoint(4, '2026-03-03T00:00:00Z'))
    expect(await keysIn('checkpoints/')).toEqual(['checkpoints/2026-03-02.json', 'checkpoints/2026-03-03.json'])
    const saved = (await (await bucket.get('checkpoints/2026-03-02.json'))?.text()) ?? ''
    expect(JSON.parse(saved)).toMatchObject({
      checkpoint: `1:${'07'.repeat(16)}`,
      number: 1,
      at: '2026-03-02T01:00:00.000Z',
    })
  })

  it('are saved by the chaining job, and verify the trail later', async () => {
    const saving = { ...world.services, saveCheckpoint: createCheckpointSaver(bucket) }
    await chainAudit(world.job(saving))
    const [key = ''] = await keysIn('checkpoints/')
    const text = (await (await bucket.get(key))?.text()) ?? ''
    const { checkpoint: anchor } = z.object({ checkpoint: z.string() }).parse(JSON.parse(text))
    const [row] = await world.sql(
      "select number, encode(mac, 'hex') as mac from audit_checkpoints order by number desc limit 1",
    )
    expect(anchor).toBe(`${String(row?.['number'])}:${String(row?.['mac']).slice(0, 32)}`)
  })
})
