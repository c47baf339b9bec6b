// Root runs only copies of PostgreSQL's programs that no other user could have written.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cachedCopy, isTrustedCopy } from '../../../../src/dev/postgres/binaries.ts'

const me = process.getuid?.() ?? 0
let base: string
let original: string
let cached: string

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
  original = join(base, 'original')
  cached = join(base, 'cached')
  await mkdir(join(original, 'bin'), { recursive: true })
  await writeFile(join(original, 'bin', 'postgres'), 'real', { mode: 0o700 })
  await writeFile(join(original, 'bin', 'note'), 'text', { mode: 0o600 })
  await symlink('postgres', join(original, 'bin', 'postmaster'))
})

afterEach(() => rm(base, { recursive: true, force: true }))

const program = (home: string) => readFile(join(home, 'bin', 'postgres'), 'utf8')

describe('the cached copy', () => {
  it('is made once, readable by others and writable by none of them', async () => {
    const { home } = await cachedCopy(original, cached, me)
    expect(home).toBe(cached)
    expect(await program(home)).toBe('real')
    expect(await isTrustedCopy(original, cached, me)).toBe(true)
    await writeFile(join(cached, 'bin', 'note'), 'sent')
    expect((await cachedCopy(original, cached, me)).home).toBe(cached)
    expect(await readFile(join(cached, 'bin', 'note'), 'utf8')).toBe('sent')
    expect((await readdir(base)).sort()).toEqual(['cached', 'original'])
  })

  it.each([
    ['a file is gone', () => rm(join(cached, 'bin', 'note'))],
    ['a file has another size', () => writeFile(join(cached, 'bin', 'postgres'), 'changed')],
    ['a file is writable by others', () => chmod(join(cached, 'bin', 'postgres'), 0o757)],
    ['a folder is writable by others', () => chmod(join(cached, 'bin'), 0o777)],
    ['something was added', () => writeFile(join(cached, 'bin', 'libevil.so'), '')],
    [
      'a link leads elsewhere',
      async () => {
        await rm(join(cached, 'bin', 'postmaster'))
        await symlink('/bin/sh', join(cached, 'bin', 'postmaster'))
      },
    ],
  ])('is not trusted and made again when %s', async (_, spoil) => {
    await cachedCopy(original, cached, me)
    await spoil()
    expect(await isTrustedCopy(original, cached, me)).toBe(false)
    const { home } = await cachedCopy(original, cached, me)
    expect(await isTrustedCopy(original, home, me)).toBe(true)
  })

  it('is not run when it belongs to another user: the run gets a separate copy, removed with it', async () => {
    await cachedCopy(original, cached, me)
    await writeFile(join(cached, 'bin', 'postgres'), 'evil')
    const copy = await cachedCopy(original, cached, me + 1)
    expect(copy.home).not.toBe(cached)
    expect(await program(copy.home)).toBe('real')
    await copy.dispose()
    await expect(program(copy.home)).rejects.toThrow('ENOENT')
    expect(await program(cached)).toBe('evil')
  })

  it('is not replaced through a link at its name', async () => {
    const elsewhere = join(base, 'elsewhere')
    await mkdir(elsewhere)
    await symlink(elsewhere, cached)
    const { home } = await cachedCopy(original, cached, me)
    expect(await isTrustedCopy(original, home, me)).toBe(true)
    expect(await readdir(elsewhere)).toEqual([])
  })
})
