import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { type Certificate, keyIdOf, signCertificate, verifyCertificate } from '../../../src/privacy/certificate.ts'

const secretText = 'a-secret-key-of-the-unit-tests-0123456789'
const secret = new TextEncoder().encode(secretText)
const other = new TextEncoder().encode('another-secret-key-of-the-unit-tests-01')
const certificate: Certificate = {
  format: 'wealthnavigator-erasure',
  format_version: 1,
  id: '11111111-1111-4111-8111-111111111111',
  subject_hash: '0'.repeat(64),
  requested_at: '2026-03-02T09:30:00.000Z',
  completed_at: '2026-03-02T09:30:01.000Z',
  deleted: { transactions: 7, users: 1 },
  plaid: { items: 'removed', user: 'removed' },
  kept: [{ what: 'A hash', why: 'A reason.' }],
}

describe('a certificate', () => {
  it('is verified without the secret, and names the key', async () => {
    const text = await signCertificate(secret, certificate)
    expect(await verifyCertificate(text)).toEqual({ certificate, keyId: await keyIdOf(secret) })
  })

  it('has the same key each time, and another one for another secret', async () => {
    expect(await keyIdOf(secret)).toBe(await keyIdOf(secret))
    expect(await keyIdOf(secret)).not.toBe(await keyIdOf(other))
  })

  it('is refused when a character of any part changes', async () => {
    const text = await signCertificate(secret, certificate)
    for (const part of [0, 1, 2]) {
      const parts = text.split('.')
      const changed = parts[part]?.replace(/.(?=.{9}$)/, (letter) => (letter === 'A' ? 'B' : 'A'))
      parts[part] = changed ?? ''
      expect(await verifyCertificate(parts.join('.')).catch(() => 'refused')).toBe('refused')
    }
  })
})

describe('npm run erasure -- verify', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-certificate-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function verify(text: string, args: string[], environment: Record<string, string> = {}) {
    const file = join(folder, 'certificate')
    await writeFile(file, text)
    const options = { cwd: projectFolder, env: { PATH: process.env['PATH'], SECRET_KEY: '', ...environment } }
    try {
      const given = ['src/cli/erasure.ts', 'verify', file, ...args]
      return { code: 0, ...(await promisify(execFile)(process.execPath, given, options)) }
    } catch (error) {
      if (error instanceof Error && 'code' in error && 'stderr' in error)
        return { code: error.code, stdout: '', stderr: String(error.stderr) }
      throw error
    }
  }

  it('confirms the key by the secret or by its id', async () => {
    const text = await signCertificate(secret, certificate)
    expect(await verify(text, [], { SECRET_KEY: secretText })).toMatchObject({ code: 0 })
    expect(await verify(JSON.stringify({ certificate: text }), ['--key-id', await keyIdOf(secret)])).toMatchObject({
      code: 0,
    })
  })

  it('fails for a key that nothing confirms, and for a forged certificate', async () => {
    const text = await signCertificate(other, certificate)
    const unconfirmed = await verify(text, [], { SECRET_KEY: secretText })
    expect([unconfirmed.code, unconfirmed.stderr]).toEqual([1, expect.stringContaining('nothing confirms')])
    expect(await verify(`${text.slice(0, -5)}AAAAA`, [])).toMatchObject({ code: 1 })
    expect(await verify('{"certificate":null}', [])).toMatchObject({ code: 1 })
  })
})
