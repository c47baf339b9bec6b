import { expect, it } from 'vitest'
import { returnPathOf } from '../../../src/oidc/return-path.ts'

it.each(['/', '/accounts', '/transactions?q=rent&from=2026-01-01', '/connect/return?x=1', '/banks/%2F%2Fevil.test'])(
  'a sign-in returns to %s',
  (path) => {
    expect(returnPathOf(path)).toBe(path)
  },
)

it.each([
  null,
  '',
  'accounts',
  'https://evil.test/',
  '//evil.test',
  '/\\evil.test',
  '\\\\evil.test',
  '/.//evil.test',
  '/..//evil.test',
  '/a/../..//evil.test',
  '/\t/evil.test',
  '/\n/evil.test',
  ' //evil.test',
  'data:text/html,x',
  '/api/v1/accounts',
  '/console/sign-in',
  '/assets/x.js',
  '/docs',
  '/.well-known/security.txt',
  `/${'€'.repeat(900)}`,
  `/${'a'.repeat(1000)}`,
])('a sign-in returns to the first page instead of %j', (path) => {
  expect(returnPathOf(path)).toBe('/')
})
