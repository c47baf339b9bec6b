import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { isClientToken, signClientToken, verifyClientToken } from '../../../src/auth/client-token.ts'
import { signAccessToken } from '../../../src/auth/sign-access-token.ts'
import { verifyAccessToken } from '../../../src/auth/access-token.ts'
import { utf8 } from '../../../src/crypto/encoding.ts'

const now = new Date('2026-11-21T12:00:00Z')
const [old, current] = [
  utf8('an old secret of the deployment, 32 bytes'),
  utf8('a new secret of the deployment, 32 bytes'),
]
const token = {
  keyId: '55555555-5555-4555-8555-555555555555',
  subject: 'u-1',
  scopes: ['read', 'link'],
  issuedAt: now,
}
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000)
/** Of ten minutes. */
const verified = { ...token, expiresAt: later(600) }

describe('a token for a client', () => {
  it('has the type of an access token, and names its key, user and scopes', async () => {
    const text = await signClientToken(current, token, 600)
    expect(decodeProtectedHeader(text)).toEqual({ alg: 'HS256', typ: 'at+jwt' })
    expect(isClientToken(text)).toBe(true)
    expect(await verifyClientToken(text, [current], now)).toEqual(verified)
  })

  it('is verified by the previous secret during a rotation, and by no other', async () => {
    const text = await signClientToken(old, token, 600)
    expect(await verifyClientToken(text, [current, old], now)).toEqual(verified)
    await expect(verifyClientToken(text, [current], now)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('expires, with a minute for clocks that differ', async () => {
    const text = await signClientToken(current, token, 600)
    expect(await verifyClientToken(text, [current], later(659))).toEqual(verified)
    await expect(verifyClientToken(text, [current], later(661))).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('is no token of a sign-in, and a token of a sign-in is none of these', async () => {
    const text = await signClientToken(current, token, 600)
    const builtin = { mode: 'builtin', secret: current, previousSecret: null } as const
    await expect(verifyAccessToken(text, builtin, now)).rejects.toMatchObject({ code: 'unauthorized' })
    const claims = { subject: 'u-1', sessionId: token.keyId, scope: 'read', role: 'user' } as const
    const ofSignIn = await signAccessToken(current, claims, 600, now)
    expect(isClientToken(ofSignIn)).toBe(false)
    await expect(verifyClientToken(ofSignIn, [current], now)).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
