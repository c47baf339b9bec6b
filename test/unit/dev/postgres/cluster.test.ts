import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCluster } from '../../../../src/dev/postgres/cluster.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wn-cluster-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('passwords that are there and cannot be read', () => {
  it('stop the start with what to do, and nothing is made anew', async () => {
    // A folder in the file's place cannot be read by any user, not even root.
    await mkdir(join(folder, 'credentials.json'))
    await expect(openCluster({ home: folder, folder, user: null, throwaway: true })).rejects.toThrow(
      /credentials\.json cannot be read/,
    )
    expect(await readdir(folder)).toEqual(['credentials.json'])
  })
})
