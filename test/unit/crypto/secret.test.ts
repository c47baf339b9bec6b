import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createSecret } from '../../../src/crypto/secret.ts'

const canary = 'access-sandbox-canary'

describe('a secret', () => {
  const secret = createSecret(canary)

  test.each([
    ['a template', `${secret.toString()} ${String(secret)}`],
    ['JSON', JSON.stringify({ secret, list: [secret] })],
    ['inspection', inspect({ secret }, { showHidden: true, depth: 9 })],
    ['inspection with getters and proxies', inspect(secret, { getters: true, showProxy: true, customInspect: false })],
    ['its members', Object.entries(secret).flat().join()],
    ['an error', new Error(String(secret)).message],
  ])('prints as [redacted] in %s', (_place, text) => {
    expect(text).not.toContain(canary)
  })

  test('cannot be cloned into a message', () => {
    expect(() => structuredClone(secret)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  })

  test('gives its value only when asked', () => {
    expect(secret.reveal()).toBe(canary)
  })
})
