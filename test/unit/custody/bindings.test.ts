// Opens sealed values of earlier versions. Their bindings must never change.
import { describe, expect, it } from 'vitest'
import { createKeyring } from '../../../src/crypto/keyring.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { openLinkToken } from '../../../src/custody/link-token.ts'
import { openTotpSecret } from '../../../src/custody/totp-secret.ts'

const bytes = (length: number, step: number) => Uint8Array.from({ length }, (_, index) => index * step)
const keyring = createKeyring({ current: { id: 'k1', secret: bytes(32, 7) } })

const accessToken =
  'wn1.k1.voLR-I64--35KarSO-Su6LsagzAXna9dCPxnJ_RNocs.AExzNpOgrTxTX1yd.K0hbG9gO8UvRZLuWrnheOZivV2NyGQocnsSH6NHob00.b0wKGvHnwAyaBCT0gi7T18fpIoOwhoZDwla1cmOSFg'
const linkToken =
  'wn1.k1.NMiZQO7_9fZm_CTvp-ioRQ7_LaNz7KhqnBIqmeMG0gs.WproYnBvlpWvBzR2.ZYyDz9nSsXaEiejaIne0oSnLXWB_fX5xH8bUKYUcfpc.9mjqLVt08pGykauS_GqEIaffrpOB_BhAW278fw'
const totpSecret =
  'wn1.k1.0nZaYRVnX9pOPnWG4BqSkkXqRVgAmga1vHzfi6Q1Mk8.uxR5oO-ZRi8UZHMY.6noOLWjM0q-5R2D_KwWis1YUlQY_7rn_MmkXQCj0F4Q.6hEqXTlqtNi6JiHA3YIUWgWJ8xe_XImexnMsEikCE4Y6DfXp2zh7YQYqKkB8YZb7nt6YZV418Ro'

describe('custody', () => {
  it('opens an access token that an earlier version sealed', async () => {
    const token = await openAccessToken(keyring, accessToken, { userId: 'user-1', itemId: 'item-1' })
    expect(token.reveal()).toBe('an access token')
  })

  it('opens a link token that an earlier version sealed', async () => {
    const token = await openLinkToken(keyring, linkToken, { userId: 'user-1', sessionId: 'session-1' })
    expect(token.reveal()).toBe('a link token')
  })

  it('opens a TOTP secret that an earlier version sealed', async () => {
    expect(await openTotpSecret(keyring, totpSecret, 'account-1')).toEqual(bytes(20, 1))
  })

  it('refuses a sealed value of another row', async () => {
    await expect(openTotpSecret(keyring, totpSecret, 'account-2')).rejects.toMatchObject({
      code: 'token_undecryptable',
    })
    await expect(openAccessToken(keyring, accessToken, { userId: 'user-1', itemId: 'item-2' })).rejects.toMatchObject({
      code: 'token_undecryptable',
    })
    await expect(openLinkToken(keyring, linkToken, { userId: 'user-2', sessionId: 'session-1' })).rejects.toMatchObject(
      { code: 'token_undecryptable' },
    )
  })
})
