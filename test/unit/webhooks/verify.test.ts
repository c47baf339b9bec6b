import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type FindKey,
  type RefusalReason,
  refusalError,
  type Verdict,
  verifyWebhook,
} from '../../../src/webhooks/verify.ts'
import {
  body,
  claimsOf,
  encode,
  keyPair,
  kid,
  now,
  nowSeconds,
  otherKeyPair,
  plainHeader,
  sha256Hex,
  signHmac,
  signJwt,
} from './signer.ts'

const findKey: FindKey = async (id) =>
  id === kid ? { status: 'found', publicKey: keyPair.publicKey } : { status: 'unknown' }
const hmacSecret = 'a relay secret of the operator, long'

interface Attempt {
  jwt?: string | null
  hmac?: string | null
  bytes?: Uint8Array
  at?: Date
  find?: FindKey
  secrets?: readonly string[]
}

async function verify({
  jwt = null,
  hmac = null,
  bytes = body,
  at = now,
  find = findKey,
  secrets = [hmacSecret],
}: Attempt) {
  const request = { plaidVerification: jwt, webhookSignature: hmac, body: bytes }
  return await verifyWebhook(request, { findKey: find, hmacSecrets: secrets, now: at })
}

const refused = (reason: RefusalReason): Verdict => ({ ok: false, reason })
const accepted = (scheme: 'jwt' | 'hmac') => expect.objectContaining({ ok: true, scheme, signedAt: nowSeconds })

/** Plaid's header with these members. */
const withHeader = (members: Record<string, unknown>): string =>
  JSON.stringify({ alg: 'ES256', kid, typ: 'JWT', ...members })

/** Fails the test: a refused header must not cause a key request. */
const unreachable: FindKey = async () => {
  throw new Error('a key was looked for')
}

describe("Plaid's webhook", () => {
  test('is accepted when its signature, age and body are right', async () => {
    expect(await verify({ jwt: await signJwt() })).toEqual(accepted('jwt'))
  })

  test('is accepted with any order and spacing of its members', async () => {
    const header = `{ "typ":"JWT",\n "kid" : "${kid}", "alg": "ES256" }`
    expect(await verify({ jwt: await signJwt({ header }) })).toEqual(accepted('jwt'))
  })

  test.each<[string, unknown]>([
    ['text', 'application/json'],
    ['a number', -1.5e3],
    ['true', true],
    ['null', null],
    ['a list', [1, [{ alg: 'none' }], '"']],
    ['an object with the same names', { alg: 'none', kid: 'x', typ: 'x', iat: 1, request_body_sha256: 'x' }],
    ['text that looks like JSON', '{"alg":"none","jwk":{}}\\"'],
  ])('is accepted with an unknown member in its header and its claims: %s', async (_case, value) => {
    const claims = { iat: nowSeconds, request_body_sha256: sha256Hex(body), 'https://plaid.com/x': value, exp: value }
    for (const order of [0, 1]) {
      const header =
        order === 0 ? withHeader({ cty: value }) : `{"cty":${JSON.stringify(value)},${plainHeader.slice(1)}`
      expect(await verify({ jwt: await signJwt({ header, claims: JSON.stringify(claims) }) })).toEqual(accepted('jwt'))
    }
  })

  test('is accepted with x5t, which names a certificate and brings none', async () => {
    expect(await verify({ jwt: await signJwt({ header: withHeader({ x5t: 'AA', 'x5t#S256': 'AA' }) }) })).toEqual(
      accepted('jwt'),
    )
  })

  test.each<[string, RefusalReason, string]>([
    ['alg none', 'wrong_alg', `{"alg":"none","kid":"${kid}","typ":"JWT"}`],
    ['alg none without a kid', 'wrong_alg', '{"alg":"none","typ":"JWT"}'],
    ['HS256', 'wrong_alg', `{"alg":"HS256","kid":"${kid}","typ":"JWT"}`],
    ['RS256', 'wrong_alg', `{"alg":"RS256","kid":"${kid}","typ":"JWT"}`],
    ['es256 in lower case', 'wrong_alg', `{"alg":"es256","kid":"${kid}","typ":"JWT"}`],
    ['another typ', 'wrong_typ', `{"alg":"ES256","kid":"${kid}","typ":"at+jwt"}`],
    ['no typ', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}"}`],
    ['no kid', 'malformed_jwt', '{"alg":"ES256","typ":"JWT"}'],
    ['a jwk of its own', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}","typ":"JWT","jwk":{}}`],
    ['a jwk beside members that nobody knows', 'malformed_jwt', withHeader({ iss: 'x', jwk: { kty: 'EC' } })],
    ['an x5u', 'malformed_jwt', withHeader({ x5u: 'https://evil.example' })],
    ['an x5c', 'malformed_jwt', withHeader({ x5c: ['AA'] })],
    ['an empty crit', 'malformed_jwt', withHeader({ crit: [] })],
    ['an unknown member twice', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}","typ":"JWT","x":1,"x":1}`],
    ['a jku', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}","typ":"JWT","jku":"https://evil.example"}`],
    ['a crit', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}","typ":"JWT","crit":["exp"]}`],
    ['alg twice', 'malformed_jwt', `{"alg":"none","alg":"ES256","kid":"${kid}","typ":"JWT"}`],
    ['kid twice', 'malformed_jwt', `{"alg":"ES256","kid":"other","kid":"${kid}","typ":"JWT"}`],
    ['an escape in a name', 'malformed_jwt', `{"\\u0061lg":"ES256","kid":"${kid}","typ":"JWT"}`],
    ['something behind', 'malformed_jwt', `${plainHeader}{}`],
    ['a trailing comma', 'malformed_jwt', `{"alg":"ES256","kid":"${kid}","typ":"JWT",}`],
    ['an array', 'malformed_jwt', '["ES256"]'],
    ['no JSON', 'malformed_jwt', 'ES256'],
    ['an empty header', 'malformed_jwt', ''],
    ['an empty object', 'malformed_jwt', '{}'],
    ['a path for a kid', 'malformed_kid', '{"alg":"ES256","kid":"../keys","typ":"JWT"}'],
    ['an empty kid', 'malformed_kid', '{"alg":"ES256","kid":"","typ":"JWT"}'],
    ['a number for a kid', 'malformed_kid', '{"alg":"ES256","kid":7,"typ":"JWT"}'],
    ['a kid of 65 characters', 'malformed_kid', `{"alg":"ES256","kid":"${'a'.repeat(65)}","typ":"JWT"}`],
  ])('is refused with %s (%s) before any key is looked for', async (_case, reason, header) => {
    expect(await verify({ jwt: await signJwt({ header }), find: unreachable })).toEqual(refused(reason))
  })

  test.each<[string, RefusalReason, string]>([
    ['is text', 'malformed_jwt', 'junk'],
    ['is empty', 'malformed_jwt', ''],
    ['has two parts', 'malformed_jwt', 'e30.e30'],
    ['has four parts', 'malformed_jwt', `${encode(plainHeader)}.e30.AA.AA`],
    ['is padded', 'malformed_jwt', `${encode(plainHeader)}==.e30.AA`],
    ['was sent twice', 'malformed_jwt', 'a.b.c, a.b.c'],
    ['is over 4 kB', 'header_too_large', 'a'.repeat(4097)],
  ])('is refused when its header %s', async (_case, reason, jwt) => {
    expect(await verify({ jwt, find: unreachable })).toEqual(refused(reason))
  })

  test('is refused unread when its body is over 1 MiB', async () => {
    const bytes = new Uint8Array(1_048_577)
    const jwt = await signJwt({ claims: claimsOf(bytes) })
    expect(await verify({ jwt, bytes, find: unreachable })).toEqual(refused('body_too_large'))
  })

  test.each<[string, RefusalReason, FindKey]>([
    ['is unknown', 'unknown_kid', async () => ({ status: 'unknown' })],
    ['has expired', 'expired_key', async () => ({ status: 'expired' })],
    ['cannot be asked for', 'key_unavailable', async () => ({ status: 'unavailable' })],
  ])('is refused when its key %s', async (_case, reason, find) => {
    expect(await verify({ jwt: await signJwt(), find })).toEqual(refused(reason))
  })

  test('is refused when another key signed it', async () => {
    const jwt = await signJwt({ signWith: otherKeyPair.privateKey })
    expect(await verify({ jwt })).toEqual(refused('bad_signature'))
  })

  test('is refused when its claims were changed after signing', async () => {
    const [header, , signature] = (await signJwt()).split('.')
    const jwt = `${header}.${encode(claimsOf(body, nowSeconds + 1))}.${signature}`
    expect(await verify({ jwt })).toEqual(refused('bad_signature'))
  })

  test.each([
    '',
    'AA',
    'A'.repeat(86),
    encode(new Uint8Array(63)),
    encode(new Uint8Array(65)),
    encode(new Uint8Array(72)),
  ])('is refused with the signature %j', async (signature) => {
    const [header, claims] = (await signJwt()).split('.')
    expect(await verify({ jwt: `${header}.${claims}.${signature}` })).toEqual(refused('bad_signature'))
  })

  test('is refused with its signature spelled another way', async () => {
    const jwt = await signJwt()
    const last = jwt.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const respelled = jwt.slice(0, -1) + (alphabet[alphabet.indexOf(last) ^ 1] ?? '')
    expect(Buffer.from(respelled.split('.')[2] ?? '', 'base64url')).toEqual(
      Buffer.from(jwt.split('.')[2] ?? '', 'base64url'),
    )
    expect(await verify({ jwt: respelled })).toEqual(refused('bad_signature'))
  })

  test.each<[string, string]>([
    ['a further claim twice', `{"exp":1,"exp":1,${claimsOf(body).slice(1)}`],
    [
      'a hash inside another claim only',
      JSON.stringify({ iat: nowSeconds, act: { request_body_sha256: sha256Hex(body) } }),
    ],
    ['iat beyond whole numbers', `{"iat":1e300,"request_body_sha256":"${sha256Hex(body)}"}`],
    ['no iat', JSON.stringify({ request_body_sha256: sha256Hex(body) })],
    ['no hash', JSON.stringify({ iat: nowSeconds })],
    ['iat as text', JSON.stringify({ iat: String(nowSeconds), request_body_sha256: sha256Hex(body) })],
    ['a fraction', `{"iat":${nowSeconds}.5,"request_body_sha256":"${sha256Hex(body)}"}`],
    ['a negative iat', `{"iat":-1,"request_body_sha256":"${sha256Hex(body)}"}`],
    ['iat twice', `{"iat":1,"iat":${nowSeconds},"request_body_sha256":"${sha256Hex(body)}"}`],
    ['an upper-case hash', JSON.stringify({ iat: nowSeconds, request_body_sha256: sha256Hex(body).toUpperCase() })],
    ['half a hash', JSON.stringify({ iat: nowSeconds, request_body_sha256: sha256Hex(body).slice(32) })],
    ['no JSON', 'claims'],
  ])('is refused with %s in its claims', async (_case, claims) => {
    expect(await verify({ jwt: await signJwt({ claims }) })).toEqual(refused('malformed_claims'))
  })

  test.each<[number, 'accepted' | 'too_old' | 'from_future']>([
    [-301, 'too_old'],
    [-300, 'accepted'],
    [300, 'accepted'],
    [301, 'from_future'],
  ])('signed %d s from now is %s', async (offset, expected) => {
    const verdict = await verify({ jwt: await signJwt({ claims: claimsOf(body, nowSeconds + offset) }) })
    expect(verdict.ok ? 'accepted' : verdict.reason).toBe(expected)
  })

  test('is too old a millisecond after five minutes', async () => {
    const jwt = await signJwt()
    expect(await verify({ jwt, at: new Date(now.getTime() + 300_001) })).toEqual(refused('too_old'))
  })

  test('is refused when its body differs by anything', async () => {
    const jwt = await signJwt()
    const edit = fc.record({ at: fc.nat(body.length - 1), removed: fc.nat(1), added: fc.uint8Array({ maxLength: 2 }) })
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, removed, added }) => {
        const bytes = Buffer.concat([body.subarray(0, at), added, body.subarray(at + removed)])
        fc.pre(!bytes.equals(body))
        expect(await verify({ jwt, bytes })).toEqual(refused('body_mismatch'))
      }),
    )
  })

  test('is never accepted, and never throws, for junk in any part', async () => {
    const part = fc.oneof(fc.string({ maxLength: 60 }), fc.json().map(encode), fc.constant(encode(plainHeader)))
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        expect(await verify({ jwt: parts.join('.') })).toMatchObject({ ok: false })
      }),
      { numRuns: 500 },
    )
  })
})

async function replayKeyOf(attempt: Attempt): Promise<string> {
  const verdict = await verify(attempt)
  if (!verdict.ok) throw new Error(verdict.reason)
  return verdict.replayKey
}

/** The other valid signature over the same bytes: (R, n − S). */
function mirrorSignature(jwt: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const [header, claims, signature = ''] = jwt.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const mirrored = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
  return `${header}.${claims}.${encode(Buffer.concat([bytes.subarray(0, 32), mirrored]))}`
}

describe('the replay key', () => {
  test('is the same for every copy of one delivery', async () => {
    const jwt = await signJwt()
    const later = new Date(now.getTime() + 60_000)
    expect(await replayKeyOf({ jwt })).toBe(await replayKeyOf({ jwt, at: later }))
  })

  test('is the same for the mirrored signature, which is valid too', async () => {
    const jwt = await signJwt()
    const mirrored = mirrorSignature(jwt)
    expect(mirrored).not.toBe(jwt)
    expect(await replayKeyOf({ jwt: mirrored })).toBe(await replayKeyOf({ jwt }))
  })

  test('differs for the same body signed afresh, in the same second too', async () => {
    const keys = await Promise.all(
      [0, 0, 0, 5].map(async (offset) => {
        const claims = claimsOf(body, nowSeconds + offset)
        return await replayKeyOf({ jwt: await signJwt({ claims }) })
      }),
    )
    expect(new Set(keys).size).toBe(4)
  })

  test('differs between the two signature schemes', async () => {
    const hmac = signHmac(hmacSecret, body)
    expect(await replayKeyOf({ hmac })).not.toBe(await replayKeyOf({ jwt: await signJwt() }))
  })
})

describe("the operator's relay", () => {
  test('is accepted with the shared secret', async () => {
    expect(await verify({ hmac: signHmac(hmacSecret, body), find: unreachable })).toEqual(accepted('hmac'))
  })

  test('is accepted with either secret of a rotation, and as the same delivery', async () => {
    const secrets = ['a new relay secret of the operator!!', hmacSecret]
    const replayKeys = await Promise.all(
      secrets.map(async (secret) => {
        const verdict = await verify({ hmac: signHmac(secret, body), secrets, find: unreachable })
        expect(verdict).toEqual(accepted('hmac'))
        return verdict.ok ? verdict.replayKey : null
      }),
    )
    expect(new Set(replayKeys).size).toBe(1)
    expect(await verify({ hmac: signHmac('another', body), secrets })).toEqual(refused('hmac_bad_signature'))
  })

  test.each<[string, RefusalReason, Attempt]>([
    ['without a secret configured', 'hmac_disabled', { hmac: signHmac(hmacSecret, body), secrets: [] }],
    ['signed with another secret', 'hmac_bad_signature', { hmac: signHmac('another', body) }],
    ['with another body', 'hmac_bad_signature', { hmac: signHmac(hmacSecret, Buffer.from('{}')) }],
    [
      'with its time changed',
      'hmac_bad_signature',
      { hmac: signHmac(hmacSecret, body).replace(/^t=\d+/, `t=${nowSeconds - 1}`) },
    ],
    ['too old', 'too_old', { hmac: signHmac(hmacSecret, body, nowSeconds - 301) }],
    ['from the future', 'from_future', { hmac: signHmac(hmacSecret, body, nowSeconds + 301) }],
    [
      'with upper-case hex',
      'hmac_malformed',
      { hmac: signHmac(hmacSecret, body).toUpperCase().replace('T=', 't=').replace('V1', 'v1') },
    ],
    ['with a leading zero in its time', 'hmac_malformed', { hmac: signHmac(hmacSecret, body, `0${nowSeconds}`) }],
    ['with two signatures', 'hmac_malformed', { hmac: `${signHmac(hmacSecret, body)},v1=${'0'.repeat(64)}` }],
    ['with an empty header', 'hmac_malformed', { hmac: '' }],
    ['with junk', 'hmac_malformed', { hmac: 'sha256=abc' }],
  ])('is refused %s (%s)', async (_case, reason, attempt) => {
    expect(await verify({ ...attempt, find: unreachable })).toEqual(refused(reason))
  })
})

describe('a delivery of a webhook', () => {
  test('is refused without a signature', async () => {
    expect(await verify({ find: unreachable })).toEqual(refused('missing_header'))
  })

  test('is refused with two valid signatures', async () => {
    const jwt = await signJwt()
    expect(await verify({ jwt, hmac: signHmac(hmacSecret, body) })).toEqual(refused('two_headers'))
  })

  test('gets the same response for each reason of a refusal, but 503 when the key cannot be fetched', () => {
    const shown = (reason: RefusalReason) => {
      const { code, detail, message, cause } = refusalError(reason)
      return { code, detail, message, cause }
    }
    const reasons: RefusalReason[] = ['missing_header', 'wrong_alg', 'unknown_kid', 'too_old', 'hmac_disabled']
    expect(new Set(reasons.map((reason) => JSON.stringify(shown(reason)))).size).toBe(1)
    expect(refusalError('bad_signature')).toMatchObject({ code: 'webhook_refused', reason: 'bad_signature' })
    expect(refusalError('key_unavailable')).toMatchObject({ code: 'webhook_unverified', retryAfterSeconds: 30 })
  })
})
