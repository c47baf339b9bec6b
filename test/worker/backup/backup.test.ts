// The Worker's backup: what it writes, and what is left of one that fails.
import { describe, expect, it } from 'vitest'
import { bucketDestination } from '../../../src/backup/bucket-destination.ts'
import { bucketOrigin } from '../../../src/backup/cleanup-bucket.ts'
import { openManifest } from '../../../src/backup/open-backup.ts'
import { runBackup } from '../../../src/backup/run-backup.ts'
import { readBackups } from '../../../src/db/operations/backups.ts'
import { actions, bucket, cron, idsIn, keysIn, useBackups, withCalls, world } from './backups.ts'

useBackups()

describe('a backup by cron', () => {
  it('has a file for each table, the manifest, its MAC, and a record', async () => {
    await runBackup(cron())
    const [id = ''] = await idsIn()
    const manifest = await openManifest(bucketOrigin(bucket, id), world.services.auditKeys)
    expect(await keysIn('backups/')).toHaveLength(manifest.tables.length + 2)
    expect(await (await bucket.get('latest'))?.text()).toBe(`${id}\n`)
    expect(await readBackups(world.services.jobs)).toMatchObject({
      isOverdue: false,
      lastBackup: {
        id,
        place: 'bucket',
        state: 'complete',
        rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
      },
    })
    expect(await actions(id)).toEqual(['backup_created'])
    const counted = manifest.tables.find(({ name }) => name === 'transactions')
    const [row] = await world.sql('select count(*)::int as n from transactions')
    expect(counted?.rows).toBe(Number(row?.['n']))
  })

  it('leaves nothing in the bucket when no time is left, and says that the database is too large', async () => {
    await expect(runBackup(cron(), 0)).rejects.toMatchObject({ reason: expect.stringContaining('too large') })
    expect(await keysIn('')).toEqual([])
    const { lastBackup, newest } = await readBackups(world.services.jobs)
    expect([lastBackup, newest]).toMatchObject([null, [{ state: 'failed', problem: 'time_limit' }]])
    expect(await actions(newest[0]?.id ?? '')).toEqual(['backup_failed'])
  })

  it.each(['public.transactions.jsonl.gz.age', 'manifest.mac', 'manifest.json'])(
    'leaves nothing that counts as a backup when it cannot write %s',
    async (file) => {
      const refusing = withCalls({
        put: async (key, ...given) => {
          if (key.endsWith(file)) throw new Error('the bucket is away')
          return await bucket.put(key, ...given)
        },
      })
      await expect(runBackup(cron({ bucket: refusing }))).rejects.toThrow('the bucket is away')
      expect(await keysIn('')).toEqual([])
      const { newest } = await readBackups(world.services.jobs)
      expect(newest).toMatchObject([{ state: 'failed', problem: 'error' }])
    },
  )

  it('does not begin while another one runs, and begins after one that ended without a trace', async () => {
    const insert =
      "insert into backups (id, place, state, started_at) values ($1, 'bucket', 'running', now() - $2::interval)"
    await world.sql(insert, ['20200101T000000Z-00000001', '19 minutes'])
    await runBackup(cron())
    expect(await idsIn()).toEqual([])
    expect(world.lines.join('\n')).toContain('backup_runs_already')
    await world.sql("update backups set started_at = now() - interval '21 minutes'")
    await runBackup(cron())
    expect(await idsIn()).toHaveLength(1)
    const { newest } = await readBackups(world.services.jobs)
    expect(newest.map(({ state, problem }) => [state, problem])).toEqual([
      ['complete', null],
      ['failed', 'interrupted'],
    ])
  })

  it('is refused with a login that may change data', async () => {
    const { jobsUrl } = world.database
    await expect(runBackup(cron({ databaseUrl: jobsUrl }))).rejects.toThrow('may change data')
  })

  it.each([
    ['that it may not read', 'create table public.unread (id int)'],
    [
      'behind a policy that hides rows',
      'create table public.unread (id int); grant select on public.unread to wn_backup; alter table public.unread enable row level security',
    ],
    [
      'behind a second policy',
      'create table public.unread (id int); alter table public.unread enable row level security; select app.let_backup_read(); create policy hidden on public.unread as restrictive for select to wn_backup using (id > 1)',
    ],
    [
      'with a sequence that it cannot read',
      'create table public.unread (id serial); grant select on public.unread to wn_backup',
    ],
  ])('fails where there is a table %s', async (_, statements) => {
    for (const statement of statements.split('; ')) await world.sql(statement)
    try {
      await expect(runBackup(cron())).rejects.toThrow('does not see every row of public.unread')
    } finally {
      await world.sql('drop table public.unread')
    }
    await runBackup(cron())
  })

  it('writes no password of the database to the log', async () => {
    const wrong = world.database.backupUrl.replace(/:[^:@]+@/, ':quite-another-password@')
    await expect(runBackup(cron({ databaseUrl: wrong }))).rejects.toThrow('did not answer')
    expect(world.lines.join('\n')).not.toContain('quite-another-password')
  })
})

describe('a large file', () => {
  const megabyte = 1024 * 1024
  /** A stream of so many bytes that count up. */
  const counting = (size: number): ReadableStream<Uint8Array> => {
    let sent = 0
    return new ReadableStream({
      pull: (controller) => {
        if (sent === size) return controller.close()
        const length = Math.min(100_003, size - sent)
        controller.enqueue(Uint8Array.from({ length }, (_, at) => (sent + at) % 251))
        sent += length
      },
    })
  }

  it.each([0, 1, 5 * megabyte - 1, 5 * megabyte, 5 * megabyte + 1, 10 * megabyte, 12 * megabyte])(
    'is what was written, in parts of equal size: %i bytes',
    async (size) => {
      const sizes: number[] = []
      const measured = withCalls({
        createMultipartUpload: async (key) => {
          const upload = await bucket.createMultipartUpload(key)
          return {
            key,
            uploadId: upload.uploadId,
            uploadPart: async (number, bytes) => {
              sizes.push(bytes.length)
              return await upload.uploadPart(number, bytes)
            },
            complete: async (parts) => await upload.complete(parts),
            abort: async () => await upload.abort(),
          }
        },
      })
      await bucketDestination(measured, '20200101T000000Z-00000001').write('file', counting(size))
      const object = await bucket.get('backups/20200101T000000Z-00000001/file')
      const bytes = new Uint8Array(await new Response(object?.body ?? null).arrayBuffer())
      expect(bytes.length).toBe(size)
      expect(bytes.every((byte, at) => byte === at % 251)).toBe(true)
      expect(sizes.slice(0, -1).every((each) => each === 5 * megabyte)).toBe(true)
      expect(await keysIn('unfinished/')).toEqual([])
    },
  )

  it('is not in the bucket when its stream breaks, and its upload is ended', async () => {
    let chunks = 0
    const broken = counting(12 * megabyte).pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          chunks += 1
          // After two parts.
          if (chunks === 112) throw new Error('the snapshot broke')
          controller.enqueue(chunk)
        },
      }),
    )
    const started: string[] = []
    const watched = withCalls({
      createMultipartUpload: async (key) => {
        const upload = await bucket.createMultipartUpload(key)
        started.push(upload.uploadId)
        return upload
      },
    })
    await expect(bucketDestination(watched, '20200101T000000Z-00000001').write('file', broken)).rejects.toThrow(
      'the snapshot broke',
    )
    expect(await keysIn('backups/')).toEqual([])
    expect(started).toHaveLength(1)
    await expect(
      bucket
        .resumeMultipartUpload('backups/20200101T000000Z-00000001/file', started[0] ?? '')
        .uploadPart(1, new Uint8Array(9)),
    ).rejects.toThrow('does not exist')
  })
})
