// Where a restoration takes the list of erased people from, and what it refuses.
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createAuditKeys } from '../../../../src/audit/keys.ts'
import { macOf, type Manifest } from '../../../../src/backup/format.ts'
import { type Tombstone, tombstoneKey, tombstoneText } from '../../../../src/backup/tombstones.ts'
import type { BucketSource } from '../../../../src/cli/backup/bucket-source.ts'
import { listHead } from '../../../../src/cli/backup/erased.ts'
import { erasuresOfBucket, readFetched, saveErasures } from '../../../../src/cli/backup/fetched-erasures.ts'
import { peopleToErase, type PeopleOptions } from '../../../../src/cli/backup/people.ts'
import { utf8 } from '../../../../src/crypto/encoding.ts'
import { json, startAnswering } from '../../plaid/answering.ts'

const keysOf = (secret: string, id = 'a1') => createAuditKeys({ current: { id, secret: utf8(secret) }, previous: [] })
const keys = keysOf('a fake audit key of this test file')

const person = (digit: string, id = `00000000-0000-4000-8000-00000000000${digit}`): Tombstone => ({
  id,
  subject_hash: digit.repeat(64),
  requested_at: '2026-03-02T01:00:00.123Z',
})
const people = [person('1'), person('2')]

/** A bucket with these objects. */
function bucketWith(objects: Readonly<Record<string, string>>): BucketSource {
  const text = (key: string): Promise<string> =>
    objects[key] === undefined ? Promise.reject(new Error(`no ${key}`)) : Promise.resolve(objects[key])
  return {
    get: () => Promise.reject(new Error('not used')),
    text,
    list: (prefix) => Promise.resolve(Object.keys(objects).filter((key) => key.startsWith(prefix))),
    close: () => Promise.resolve(),
  }
}

async function storedPeople(): Promise<Record<string, string>> {
  const entries = people.map(async (each) => [tombstoneKey(each), await tombstoneText(keys, each)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-people-'))
})
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

describe('the list that comes with a fetched backup', () => {
  it('is used by itself for a day', async () => {
    expect(await saveErasures(bucketWith(await storedPeople()), folder, keys)).toBeNull()
    expect(await peopleToErase({}, folder, keys)).toEqual(people)
    vi.useFakeTimers({ now: Date.now() + 86_400_000 + 1000, toFake: ['Date'] })
    await expect(peopleToErase({}, folder, keys)).rejects.toThrow('people may have been erased since')
    expect(await peopleToErase({ erasures: 'fetched' }, folder, keys)).toEqual(people)
  })

  it('is not used by itself when its time is in the future', async () => {
    await saveErasures(bucketWith(await storedPeople()), folder, keys)
    vi.useFakeTimers({ now: Date.now() - 6 * 60_000, toFake: ['Date'] })
    await expect(peopleToErase({}, folder, keys)).rejects.toThrow('people may have been erased since')
  })

  it('is refused when it was changed, or is signed with another key', async () => {
    await saveErasures(bucketWith(await storedPeople()), folder, keys)
    await expect(readFetched(folder, keysOf('another fake audit key of this file'))).rejects.toThrow('was changed')
    await expect(readFetched(folder, keysOf('a fake audit key of this test file', 'a2'))).rejects.toThrow('AUDIT_KEY')
    await appendFile(join(folder, 'erasures.json'), ' ')
    await expect(peopleToErase({}, folder, keys)).rejects.toThrow('was changed')
  })

  it('is refused without its signature', async () => {
    await saveErasures(bucketWith(await storedPeople()), folder, keys)
    await rm(join(folder, 'erasures.mac'))
    await expect(peopleToErase({ erasures: 'fetched' }, folder, keys)).rejects.toThrow('was changed')
  })

  it('is demanded where there is none', async () => {
    await expect(peopleToErase({}, folder, keys)).rejects.toThrow('--bucket NAME')
    await expect(peopleToErase({}, null, keys)).rejects.toThrow('--bucket NAME')
    await expect(peopleToErase({ erasures: 'fetched' }, null, keys)).rejects.toThrow('needs the folder')
  })
})

describe('the objects of the bucket', () => {
  it.each<[string, (text: string, other: string) => string]>([
    ['whose person was changed', (text) => text.replace('1'.repeat(64), '3'.repeat(64))],
    ['whose id was changed', (text) => text.replace('-000000000001', '-000000000009')],
    ['that is the one of another person', (_text, other) => other],
    ['that is no JSON', () => 'garbage'],
    ['without a MAC', (text) => text.replace(/,"key_id.*/, '}')],
  ])('are refused with one %s, and no list is saved', async (_, change) => {
    const [key = '', ...others] = Object.keys(await storedPeople())
    const objects = await storedPeople()
    const source = bucketWith({ ...objects, [key]: change(objects[key] ?? '', objects[others[0] ?? ''] ?? '') })
    await expect(erasuresOfBucket(source, keys)).rejects.toThrow(`The object ${key} was not written by the Worker`)
    expect(others).toHaveLength(1)
    expect(await saveErasures(source, folder, keys)).toBeInstanceOf(Error)
    expect(await readdir(folder)).toEqual([])
  })

  it('are refused with a key that is not configured, by its own message', async () => {
    const source = bucketWith(await storedPeople())
    await expect(erasuresOfBucket(source, keysOf('another', 'a2'))).rejects.toThrow('AUDIT_KEYS_PREVIOUS')
  })

  it('are never an empty list when the bucket cannot be listed', async () => {
    const source = { ...bucketWith({}), list: () => Promise.reject(new Error('Cloudflare answered 500')) }
    expect(await saveErasures(source, folder, keys)).toMatchObject({ message: 'Cloudflare answered 500' })
    expect(await readdir(folder)).toEqual([])
  })
})

/** Makes the folder one of a backup of so many days ago. */
async function writeManifest(daysAgo: number): Promise<void> {
  const manifest: Manifest = {
    format: 1,
    product: 'wealthnavigator-edge',
    id: '20260101T000000Z-00000001',
    created_at: new Date(Date.now() - daysAgo * 86_400_000).toISOString(),
    server_version: '17.0',
    migration: { created_at: 1, hash: 'a hash' },
    recipients: ['age1 of a test'],
    tables: [],
    sequences: [],
  }
  const text = JSON.stringify(manifest)
  await writeFile(join(folder, 'manifest.json'), text)
  await writeFile(join(folder, 'manifest.mac'), await macOf(keys, text))
}

/** The first line of a list of `people` that was written so many days ago. */
const headOf = (daysAgo: number, count = people.length): string =>
  listHead(new Date(Date.now() - daysAgo * 86_400_000), count)

describe('the bucket alone', () => {
  it('is refused for a backup from before the 30 days of which it has every erasure', async () => {
    const server = await startAnswering()
    try {
      server.answer(json('{"result":[]}'))
      vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'account')
      vi.stubEnv('CLOUDFLARE_API_TOKEN', 'a token')
      vi.stubEnv('CLOUDFLARE_API_BASE_URL', server.url)
      const bucket = 'wn-backups'
      await writeManifest(29.9)
      expect(await peopleToErase({ bucket }, folder, keys)).toEqual([])
      await writeManifest(30.1)
      await expect(peopleToErase({ bucket }, folder, keys)).rejects.toThrow('Say --erasures, too')
      await expect(peopleToErase({ local: folder }, folder, keys)).rejects.toThrow('Say --erasures, too')
      expect(await peopleToErase({ bucket, erasures: 'none' }, folder, keys)).toEqual([])
      await saveErasures(bucketWith(await storedPeople()), folder, keys)
      expect(await peopleToErase({ bucket, erasures: 'fetched' }, folder, keys)).toEqual(people)
      const file = join(folder, 'erasures.jsonl')
      const rows = people.map((each) => JSON.stringify(each))
      await writeFile(file, [headOf(29.9), ...rows].join('\n'))
      expect(await peopleToErase({ bucket, erasures: file }, folder, keys)).toEqual(people)
      await writeFile(file, [headOf(30.1), ...rows].join('\n'))
      await expect(peopleToErase({ bucket, erasures: file }, folder, keys)).rejects.toThrow('name one of the last 30')
      await writeFile(file, rows.join('\n'))
      await expect(peopleToErase({ bucket, erasures: file }, folder, keys)).rejects.toThrow('has no time')
      vi.useFakeTimers({ now: Date.now() + 30.1 * 86_400_000, toFake: ['Date'] })
      await expect(peopleToErase({ bucket, erasures: 'fetched' }, folder, keys)).rejects.toThrow(
        'name one of the last 30',
      )
      expect(await peopleToErase({ erasures: 'fetched' }, folder, keys)).toEqual(people)
      vi.useRealTimers()
      // A database that its provider put back is of the last 30 days.
      expect(await peopleToErase({ bucket }, null, keys)).toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('is refused where the age of the backup was changed', async () => {
    await writeManifest(30.1)
    const file = join(folder, 'manifest.json')
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/"created_at":"[^"]*"/, '"created_at":"2099-01-01T00:00:00Z"'),
    )
    await expect(peopleToErase({ bucket: 'wn-backups' }, folder, keys)).rejects.toThrow('manifest was changed')
  })
})

describe('a file', () => {
  async function written(head: string | null, erasures: readonly Tombstone[] = people): Promise<string> {
    const file = join(folder, 'erasures.jsonl')
    const lines = [...(head === null ? [] : [head]), ...erasures.map((each) => JSON.stringify(each))]
    await writeFile(file, lines.map((line) => `${line}\n`).join(''))
    return file
  }
  const taken = (file: string, more: PeopleOptions = {}) => peopleToErase({ erasures: file, ...more }, folder, keys)

  it.each([
    ['was cut off at the end of a line', 3, 'counts 3, and 2 follow'],
    ['has more lines than it says', 1, 'counts 1, and 2 follow'],
  ])('is refused when it %s, also with --however-old', async (_, count, said) => {
    const file = await written(headOf(0, count))
    await expect(taken(file)).rejects.toThrow(said)
    await expect(taken(file, { 'however-old': true })).rejects.toThrow('npm run -s erasure -- list')
  })

  it('is refused when it is empty, as a command that failed leaves it', async () => {
    const file = await written(null, [])
    await expect(taken(file, { 'however-old': true })).rejects.toThrow('is empty')
    expect(await taken(await written(headOf(0, 0), []))).toEqual([])
  })

  it('is taken alone for a day, and later with --however-old', async () => {
    expect(await taken(await written(headOf(0.99)))).toEqual(people)
    const file = await written(headOf(1.01))
    await expect(taken(file)).rejects.toThrow(/is of \d{4}-\S+Z: people may have been erased since/)
    expect(await taken(file, { 'however-old': true })).toEqual(people)
  })

  it('is taken alone without a time only with --however-old', async () => {
    const file = await written(null)
    await expect(taken(file)).rejects.toThrow('has no time (listed_at): people may have been erased since')
    expect(await taken(file, { 'however-old': true })).toEqual(people)
  })

  it('is refused when its time is in the future, unless clocks may differ by so much', async () => {
    const minute = 1 / 1440
    const file = await written(headOf(-6 * minute))
    await expect(taken(file)).rejects.toThrow('in the future')
    await expect(taken(file, { 'however-old': true })).rejects.toThrow('in the future')
    expect(await taken(await written(headOf(-4 * minute)))).toEqual(people)
  })

  it.each<[string, PeopleOptions]>([
    ['a bucket', { erasures: 'a file', bucket: 'wn-backups' }],
    ['the list of fetch', { erasures: 'fetched' }],
    ['no list', { erasures: 'none' }],
    ['nothing named', {}],
  ])('is what --however-old is about: it is refused with %s', async (_, options) => {
    const asked = peopleToErase({ ...options, 'however-old': true }, folder, keys)
    await expect(asked).rejects.toThrow('--however-old is for --erasures FILE')
  })

  it('is read a line at a time, and has no erasure twice', async () => {
    const twice = person('1', '00000000-0000-4000-8000-00000000000f')
    const file = await written(headOf(0, 3), [...people, twice])
    const found = await peopleToErase({ erasures: file }, null, keys)
    expect(found.map(({ subject_hash: hash }) => hash)).toEqual(people.map(({ subject_hash: hash }) => hash))
    expect(await peopleToErase({ erasures: 'none' }, null, keys)).toEqual([])
  })

  it('is refused with a line that is no erasure', async () => {
    const file = join(folder, 'erasures.jsonl')
    await writeFile(file, '{"id":"1"}\n')
    await expect(peopleToErase({ erasures: file }, null, keys)).rejects.toThrow('Line 1')
    await expect(peopleToErase({ erasures: join(folder, 'missing') }, null, keys)).rejects.toThrow('There is no file')
  })
})
