// What SECRET_KEY is used for. A new use must survive a rotation of the key, or say why it need not.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'

/** Purpose → what becomes of it in a rotation; test/worker/identity/secret-rotation.test.ts shows the first two. */
const purposes = {
  'device-token': 'the previous key recognizes it',
  'next-refresh-token': 'both keys give a successor for ten seconds',
  'erasure-certificate': 'a certificate has its public key: the old ones verify, the new ones have another key id',
  'log-pseudonym': 'changes: docs/security.md says to keep the old key as long as old logs',
}

it('SECRET_KEY has no use that no test rotates', async () => {
  const files = await readdir(join(projectFolder, 'src'), { recursive: true })
  const sources = await Promise.all(
    files
      .filter((name) => name.endsWith('.ts') && !/^(?:dev|cli)\//.test(name) && name !== 'crypto/derived-key.ts')
      .map((name) => readFile(join(projectFolder, 'src', name), 'utf8')),
  )
  const uses = sources.flatMap((text) => [
    ...text.matchAll(/\b(?:authenticate|authenticatorFor)\(\s*\w*[sS]ecret\w*,\s*'([^']+)'/g),
  ])
  expect(uses.map(([, purpose = '']) => purpose).toSorted()).toEqual(Object.keys(purposes).toSorted())
})
