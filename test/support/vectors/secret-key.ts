// What is derived from SECRET_KEY: test/vectors/secret-key.json.
import * as z from 'zod'
import { encodeHex, utf8 } from '../../../src/crypto/encoding.ts'
import { readDeviceToken } from '../../../src/identity/device-token.ts'
import { nextRefreshToken, readRefreshToken } from '../../../src/identity/refresh-token.ts'
import { createPseudonyms } from '../../../src/monitoring/pseudonyms.ts'
import { certificateSchema, keyIdOf, signCertificate, verifyCertificate } from '../../../src/privacy/certificate.ts'
import secretKeyFile from '../../vectors/secret-key.json' with { type: 'json' }
import type { FrozenVector } from './frozen-vector.ts'

const file = z
  .object({
    secret: z.string(),
    pseudonyms: z.object({
      user: z.object({ issuer: z.string(), subject: z.string(), pseudonym: z.string() }),
      account: z.object({ email: z.string(), pseudonym: z.string() }),
      network: z.object({ network: z.string(), at: z.coerce.date(), pseudonym: z.string() }),
    }),
    refreshToken: z.object({
      token: z.string(),
      selectorHash: z.string(),
      verifierHash: z.string(),
      next: z.string(),
      nextVerifierHash: z.string(),
    }),
    deviceToken: z.object({ email: z.string(), id: z.string(), issuedAt: z.coerce.date(), token: z.string() }),
    certificate: z.object({
      document: certificateSchema,
      keyId: z.string(),
      header: z.string(),
      payload: z.string(),
      signature: z.string(),
    }),
  })
  .parse(secretKeyFile)

const secret = utf8(file.secret)
const { user, account, network } = file.pseudonyms
const pseudonyms = createPseudonyms(secret)

const pseudonymVectors: readonly FrozenVector[] = [
  { name: 'the pseudonym of a user', read: () => pseudonyms.user(user), expected: user.pseudonym },
  { name: 'the pseudonym of an account', read: () => pseudonyms.account(account.email), expected: account.pseudonym },
  {
    name: 'the pseudonym of a network on a day',
    read: () => pseudonyms.network(network.network, network.at),
    expected: network.pseudonym,
  },
]

const hashesOf = (token: Awaited<ReturnType<typeof readRefreshToken>>) =>
  token === null
    ? null
    : {
        text: token.text,
        selectorHash: encodeHex(token.selectorHash),
        verifierHash: encodeHex(token.verifierHash),
      }

const { refreshToken, deviceToken, certificate } = file
const tokenVectors: readonly FrozenVector[] = [
  {
    name: 'the hashes of a refresh token',
    read: async () => hashesOf(await readRefreshToken(refreshToken.token)),
    expected: {
      text: refreshToken.token,
      selectorHash: refreshToken.selectorHash,
      verifierHash: refreshToken.verifierHash,
    },
  },
  {
    name: 'the successor of a refresh token',
    read: async () => hashesOf(await nextRefreshToken(secret, refreshToken.token)),
    expected: {
      text: refreshToken.next,
      selectorHash: refreshToken.selectorHash,
      verifierHash: refreshToken.nextVerifierHash,
    },
  },
  {
    name: 'a known-device token',
    read: () =>
      readDeviceToken({ secret, previousSecret: null }, deviceToken.email, deviceToken.token, deviceToken.issuedAt),
    expected: { id: deviceToken.id, issuedAt: deviceToken.issuedAt },
  },
]

const { document, keyId } = certificate
const text = [certificate.header, certificate.payload, certificate.signature].join('.')
const certificateVectors: readonly FrozenVector[] = [
  {
    name: 'a certificate of an erasure',
    read: () => verifyCertificate(text),
    expected: { certificate: document, keyId },
  },
  { name: 'the key that signs certificates of erasures', read: () => keyIdOf(secret), expected: keyId },
  {
    name: 'the format in which a certificate of an erasure is signed',
    read: () => signCertificate(secret, document),
    expected: text,
  },
]

export const secretKeyVectors: readonly FrozenVector[] = [...pseudonymVectors, ...tokenVectors, ...certificateVectors]
