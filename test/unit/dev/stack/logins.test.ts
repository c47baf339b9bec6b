// The passwords of the local database's logins.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readLogins } from '../../../../src/dev/stack/logins.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('local passwords stay as they are from start to start, and only their owner reads them', async () => {
  const made = await readLogins(folder)
  expect(new Set(Object.values(made)).size).toBe(4)
  expect(await readLogins(folder)).toEqual(made)
  expect((await stat(join(folder, 'logins.json'))).mode & 0o777).toBe(0o600)
})

it('local passwords of a version with fewer logins are kept, and the missing ones are made', async () => {
  const stored = { apiPassword: 'one', jobsPassword: 'two' }
  await writeFile(join(folder, 'logins.json'), JSON.stringify(stored), { mode: 0o600 })
  const found = await readLogins(folder)
  const made = expect.stringMatching(/^.{32}$/)
  expect(found).toEqual({ ...stored, identityPassword: made, backupPassword: made })
  expect(JSON.parse(await readFile(join(folder, 'logins.json'), 'utf8'))).toEqual(found)
})
