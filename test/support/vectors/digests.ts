// Hashes by which stored rows are found again: test/vectors/digests.json.
import * as z from 'zod'
import { actorHash, personOf, splitPerson } from '../../../src/audit/signed-row.ts'
import { decodeHex, encodeHex, utf8 } from '../../../src/crypto/encoding.ts'
import { tokenDigest } from '../../../src/custody/link-token.ts'
import { readCode } from '../../../src/identity/codes.ts'
import { createPasswordHasher } from '../../../src/identity/password.ts'
import { scrypt } from '../../../src/identity/scrypt.ts'
import { verifyWebhook } from '../../../src/webhooks/verify.ts'
import digestsFile from '../../vectors/digests.json' with { type: 'json' }
import type { FrozenVector } from './frozen-vector.ts'

const identity = { issuer: z.string(), subject: z.string() }
const file = z
  .object({
    linkToken: z.object({ token: z.string(), digest: z.string() }),
    codes: z.array(
      z.object({ purpose: z.enum(['verify-email', 'reset-password', 'recovery']), text: z.string(), hash: z.string() }),
    ),
    passwords: z.array(z.object({ password: z.string(), stored: z.string() })),
    actor: z.object({ salt: z.string(), ...identity, hash: z.string() }),
    person: z.object({ ...identity, person: z.string() }),
    erased: z.object({ ...identity, hash: z.string() }),
    relayedWebhook: z.object({
      secret: z.string(),
      body: z.string(),
      seconds: z.int(),
      signature: z.string(),
      replayKey: z.string(),
    }),
    plaidWebhook: z.object({
      kid: z.string(),
      x: z.string(),
      y: z.string(),
      body: z.string(),
      seconds: z.int(),
      header: z.string(),
      claims: z.string(),
      signature: z.string(),
      replayKey: z.string(),
    }),
  })
  .parse(digestsFile)

/** The hash of an erased person, which a function of the database computes. */
export const erasedPerson = file.erased

const hexOrNull = (bytes: Uint8Array | null): string | null => (bytes === null ? null : encodeHex(bytes))

const { actor, person, relayedWebhook: relayed, plaidWebhook: plaid, linkToken } = file
const rowVectors: readonly FrozenVector[] = [
  { name: 'the digest of a link token', read: () => tokenDigest(linkToken.token), expected: linkToken.digest },
  ...file.codes.map(({ purpose, text, hash }) => ({
    name: `the hash of a code for ${purpose}`,
    read: async () => hexOrNull(await readCode(purpose, text)),
    expected: hash,
  })),
  ...file.passwords.map(({ password, stored }, index) => ({
    name: `a password hash, number ${index + 1}`,
    read: () => createPasswordHasher(scrypt).verify(password, stored),
    expected: { matches: true, outdated: index > 0 },
  })),
  {
    name: 'the hash of an actor in the audit trail',
    read: async () => encodeHex(await actorHash(decodeHex(actor.salt) ?? new Uint8Array(), actor)),
    expected: actor.hash,
  },
  {
    name: 'the name of a person in the audit trail',
    read: () => [personOf(person), splitPerson(person.person)],
    expected: [person.person, { issuer: person.issuer, subject: person.subject }],
  },
]

const webhookVectors: readonly FrozenVector[] = [
  {
    name: 'the replay key of a relayed webhook',
    read: () =>
      verifyWebhook(
        {
          plaidVerification: null,
          webhookSignature: `t=${relayed.seconds},v1=${relayed.signature}`,
          body: utf8(relayed.body),
        },
        {
          findKey: () => Promise.resolve({ status: 'unknown' }),
          hmacSecrets: [relayed.secret],
          now: new Date(relayed.seconds * 1000),
        },
      ),
    expected: { ok: true, scheme: 'hmac', signedAt: relayed.seconds, replayKey: relayed.replayKey },
  },
  {
    name: 'the replay key of a webhook of Plaid',
    read: async () => {
      const jwk = { kty: 'EC', crv: 'P-256', x: plaid.x, y: plaid.y }
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const publicKey = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify'])
      const plaidVerification = [plaid.header, plaid.claims, plaid.signature].join('.')
      const now = new Date(plaid.seconds * 1000)
      return await verifyWebhook(
        { plaidVerification, webhookSignature: null, body: utf8(plaid.body) },
        { findKey: () => Promise.resolve({ status: 'found', publicKey }), hmacSecrets: [], now },
      )
    },
    expected: { ok: true, scheme: 'jwt', signedAt: plaid.seconds, replayKey: plaid.replayKey },
  },
]

export const codePurposes: readonly string[] = file.codes.map(({ purpose }) => purpose)
export const digestVectors: readonly FrozenVector[] = [...rowVectors, ...webhookVectors]
