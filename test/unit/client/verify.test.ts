// Verification of events, against signatures that Node's own HMAC makes.
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { SignatureError, verify } from '@wealthnavigator/client'
import { signWebhook } from '../../../src/crypto/standard-webhooks.ts'

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`
const secret = secretOf(1)
const now = new Date('2026-11-30T00:00:00Z')
const seconds = now.getTime() / 1000
const id = 'msg_1'
const body = '{"type":"item.linked","amount":0.10,"text":"ä"}'

const sign = (key: string, timestamp: number | string = seconds, content = body, message = id): string => {
  const bytes = Buffer.from(key.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', bytes).update(`${message}.${timestamp}.${content}`).digest('base64')}`
}
const headersOf = (signature: string, timestamp: number | string = seconds) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
})
const good = { secret, headers: headersOf(sign(secret)), body, now }

describe('a received event', () => {
  it('is returned when its signature is valid, as text and as bytes, with headers of either kind', async () => {
    const expected = { type: 'item.linked', amount: 0.1, text: 'ä' }
    expect(await verify(good)).toEqual(expected)
    expect(await verify({ ...good, body: new TextEncoder().encode(body) })).toEqual(expected)
    expect(await verify({ ...good, headers: new Headers(good.headers) })).toEqual(expected)
  })

  it('is accepted as this project signs it', async () => {
    expect(await verify({ ...good, headers: headersOf(await signWebhook(secret, id, seconds, body)) })).toBeTruthy()
  })

  it('is accepted by any of several signatures, and by any of several secrets', async () => {
    const both = `${sign(secretOf(2))} v2,abc v1,%% ${sign(secret)}`
    expect(await verify({ ...good, headers: headersOf(both) })).toBeTruthy()
    expect(await verify({ ...good, secret: [secretOf(3), secret] })).toBeTruthy()
  })

  it.each([
    ['another body', { ...good, body: body.replace('0.10', '9.10') }],
    ['another secret', { ...good, secret: secretOf(2) }],
    ['another id', { ...good, headers: { ...good.headers, 'webhook-id': 'msg_2' } }],
    ['another time', { ...good, headers: headersOf(sign(secret), seconds + 1) }],
    ['no signature', { ...good, headers: headersOf('') }],
    ['no id', { ...good, headers: { ...good.headers, 'webhook-id': undefined } }],
    ['a signature of another version', { ...good, headers: headersOf(sign(secret).replace('v1,', 'v2,')) }],
    ['a part of the signature', { ...good, headers: headersOf(sign(secret).slice(0, 20)) }],
    ['a signature that is not base64', { ...good, headers: headersOf('v1,%%%') }],
    ['an empty signature', { ...good, headers: headersOf('v1,') }],
    ['two headers', { ...good, headers: { ...good.headers, 'webhook-signature': [sign(secret), 'v1,x'] } }],
    ['no secret at all', { ...good, secret: [] }],
    ['a signature behind ten others', { ...good, headers: headersOf(`${'v1,AAAA '.repeat(10)}${sign(secret)}`) }],
  ])('is refused with %s', async (_what, options) => {
    await expect(verify(options)).rejects.toBeInstanceOf(SignatureError)
  })

  it.each([301, 300, -300, -301])('is accepted up to 300 seconds from its time, and is %s seconds old', async (age) => {
    const at = seconds - age
    const result = await verify({ ...good, headers: headersOf(sign(secret, at), at) }).then(
      () => 'accepted',
      (error: unknown) => (error instanceof SignatureError ? error.message : error),
    )
    expect(result).toBe(Math.abs(age) <= 300 ? 'accepted' : 'The time of the event is too far from now.')
  })

  it.each(['', 'NaN', 'Infinity', '1e9', '0x6', ' 1', '99999999999999'])(
    'is refused with the time %j, although it is signed',
    async (timestamp) => {
      const headers = headersOf(sign(secret, timestamp), timestamp)
      await expect(verify({ ...good, headers })).rejects.toBeInstanceOf(SignatureError)
    },
  )

  it.each(['whsec_', 'whsec_short', '', 'whsec_%%%'])('is not checked with the secret %j', async (wrong) => {
    await expect(verify({ ...good, secret: wrong })).rejects.toThrow(TypeError)
  })
})
