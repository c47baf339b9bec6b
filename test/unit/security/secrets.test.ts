// The scanner for secrets: what it finds, what it accepts, and that the repository is clean. Secrets are put together
// here, so that this file contains none.
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { entropy, findSecrets, findTrackedSecrets } from '../../../src/cli/secrets.ts'

const part = (length: number) => randomBytes(length).toString('hex')
const base64url = (text: string) => Buffer.from(text).toString('base64url')

it.each([
  ['a private key', () => ['-----BEGIN', 'RSA PRIVATE KEY-----'].join(' ')],
  ['an AWS access key', () => ['AKIA', 'IOSFODNN7ABCDEFG'].join('')],
  ['a GitHub token', () => ['ghp', part(18)].join('_')],
  ['a JSON Web Token', () => [base64url('{"alg":"HS256"}'), base64url('{"sub":"alice"}'), part(16)].join('.')],
  ['a Plaid access token', () => ['access', 'production', crypto.randomUUID()].join('-')],
  ['a Plaid secret', () => ['PLAID_SECRET', part(15)].join('=')],
  [
    'a database URL with a password',
    () => ['postgres:', '', `wn_api:${part(8)}@ep-cool-1.aws.neon.tech/wealth`].join('/'),
  ],
])('the search for secrets finds %s', (what, make) => {
  const found = findSecrets('src/x.ts', `one line\nconst value = '${make()}'`)
  expect(found).toContainEqual({ file: 'src/x.ts', line: 2, what })
})

it.each([
  ['hex', () => randomBytes(32).toString('hex')],
  ['short hex', () => randomBytes(20).toString('hex')],
  ['base64', () => randomBytes(48).toString('base64')],
  ['short base64', () => randomBytes(32).toString('base64')],
  ['base64url', () => randomBytes(32).toString('base64url')],
])('the search for secrets finds nearly every random value in %s', (_what, make) => {
  const missed = Array.from({ length: 2000 }, make).filter(
    (value) => findSecrets('wrangler.toml', `KEY = "${value}"`)[0]?.what !== 'a long random value',
  )
  // About one in 1,500 random values of 43 characters has no digit, so it passes as a name.
  expect(missed.length).toBeLessThan(20)
})

it.each([
  'postgres://wn_api:password-one@db.localtest.me/wn',
  'SECRET_KEY=fake-local-only-secret-key-fake-local-only',
  'a-long-name-of-a-thing-that-is-made-of-many-words',
  'https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Permissions-Policy',
  '0'.repeat(64),
  '0123abcd'.repeat(8),
  'anIdentifierInCamelCaseThatHasManyManyWordsInIt',
])('the search for secrets ignores %s', (text) => {
  expect(findSecrets('src/x.ts', text)).toEqual([])
})

it('the entropy of a text is measured in bits a character', () => {
  expect([entropy('aaaa'), entropy('abab'), entropy('abcd')]).toEqual([0, 1, 2])
})

it('the tracked files hold no secret', async () => {
  expect(await findTrackedSecrets()).toEqual([])
})
