// The frozen envelopes: test/vectors/envelopes.json, sealed.json, sealed-wn2.json and sealed-before.json.
import * as z from 'zod'
import { decodeHex, encodeHex, utf8 } from '../../../src/crypto/encoding.ts'
import { open, seal } from '../../../src/crypto/envelope.ts'
import { createKeyring, decodeKey, type EncryptionKey, type Keyring } from '../../../src/crypto/keyring.ts'
import { openAccessToken } from '../../../src/custody/access-token.ts'
import { openLinkToken } from '../../../src/custody/link-token.ts'
import { sealedPlaces } from '../../../src/custody/rewrap.ts'
import { openTotpSecret } from '../../../src/custody/totp-secret.ts'
import { openWebhookSecret } from '../../../src/custody/webhook-secret.ts'
import envelopesFile from '../../vectors/envelopes.json' with { type: 'json' }
import sealedBeforeFile from '../../vectors/sealed-before.json' with { type: 'json' }
import sealedFile from '../../vectors/sealed.json' with { type: 'json' }
import sealedByTableFile from '../../vectors/sealed-wn2.json' with { type: 'json' }
import type { FrozenVector } from './frozen-vector.ts'

const bindingFields = { table: z.string(), column: z.string(), userId: z.string(), itemId: z.string() }
const envelopes = z
  .object({
    keys: z.record(z.string(), z.string()),
    current: z.string(),
    minimumKeyId: z.string(),
    vectors: z.array(
      z.object({
        name: z.string(),
        /** `opens`, or the reason why it must not open. */
        expect: z.string(),
        sealed: z.string(),
        binding: z.object(bindingFields),
        plaintext: z.string().optional(),
      }),
    ),
  })
  .parse(envelopesFile)

/** The key of that id in `envelopes.json`. */
export function envelopeKey(id: string): EncryptionKey {
  const secret = decodeKey(envelopes.keys[id] ?? '')
  if (secret === null) throw new Error(`no key ${id} in the vectors`)
  return { id, secret }
}

/** The keyring of `envelopes.json`. */
export const envelopeKeyring: Keyring = createKeyring({
  current: envelopeKey(envelopes.current),
  previous: Object.keys(envelopes.keys)
    .filter((id) => id !== envelopes.current)
    .map(envelopeKey),
  minimumKeyId: envelopes.minimumKeyId,
})

const refusal = z.object({ code: z.string(), reason: z.string() })

const envelopeVectors = envelopes.vectors.map(({ name, expect, sealed, binding, plaintext }): FrozenVector => ({
  name: `an envelope, ${name}`,
  read: () =>
    open(envelopeKeyring, sealed, binding).then(
      (opened) => ({ verdict: 'opens', code: null, plaintext: opened }),
      (error: unknown) => {
        const { reason, code } = refusal.parse(error)
        return { verdict: reason, code, plaintext: null }
      },
    ),
  expected: {
    verdict: expect,
    code: expect === 'opens' ? null : 'token_undecryptable',
    plaintext: plaintext ?? null,
  },
}))

const sealedSchema = z.object({
  keys: z.array(z.object({ id: z.string(), secret: z.string() })),
  currentKeyId: z.string(),
  values: z.array(
    z.object({
      place: z.enum(sealedPlaces),
      keyId: z.string(),
      version: z.enum(['wn1', 'wn2']).default('wn1'),
      ...bindingFields,
      plaintext: z.string(),
      /** The byte that fills salt and nonce. */
      fill: z.int(),
      sealed: z.string(),
    }),
  ),
})
const places = sealedSchema.parse(sealedFile)
type SealedValue = (typeof places.values)[number]

/** The keyring of both files that seals with this key. */
function keyringOf(currentId: string): Keyring {
  const keys = places.keys.map(({ id, secret }) => ({ id, secret: utf8(secret) }))
  const current = keys.find(({ id }) => id === currentId)
  if (current === undefined) throw new Error(`no key ${currentId} in the vectors`)
  return createKeyring({ current, previous: keys.filter(({ id }) => id !== currentId) })
}
export const placesKeyring: Keyring = keyringOf(places.currentKeyId)
export const sealedValues: readonly SealedValue[] = [...places.values, ...sealedSchema.parse(sealedByTableFile).values]

/** Opens a value as the product opens those of its place, for the row that owns it. */
export async function openIn(
  place: SealedValue['place'],
  sealed: string,
  { userId, itemId }: { readonly userId: string; readonly itemId: string },
  keyring: Keyring = placesKeyring,
): Promise<string> {
  if (place === 'totp_secrets') return encodeHex(await openTotpSecret(keyring, sealed, itemId))
  if (place === 'webhook_secrets' || place === 'previous_webhook_secrets')
    return (await openWebhookSecret(keyring, sealed, { ownerId: userId, endpointId: itemId })).reveal()
  if (place === 'link_sessions') return (await openLinkToken(keyring, sealed, { userId, sessionId: itemId })).reveal()
  return (await openAccessToken(keyring, sealed, { userId, itemId }, place)).reveal()
}

const placeVectors = sealedValues.flatMap((value): FrozenVector[] => {
  const { place, keyId, version, plaintext, fill, sealed, table, column, userId, itemId } = value
  return [
    {
      name: `a value of ${place} under the key ${keyId}, ${version}`,
      read: () => openIn(place, sealed, value),
      expected: plaintext,
    },
    {
      name: `the format in which a value of ${place} is sealed by the key ${keyId}, ${version}`,
      read: () =>
        seal(keyringOf(keyId), plaintext, { version, table, column, userId, itemId }, (length) =>
          new Uint8Array(length).fill(fill),
        ),
      expected: sealed,
    },
  ]
})

const before = z
  .object({
    key: z.object({ id: z.string(), secret: z.string() }),
    values: z.array(
      z.object({
        place: z.enum(sealedPlaces),
        userId: z.string(),
        itemId: z.string(),
        plaintext: z.string(),
        sealed: z.string(),
      }),
    ),
  })
  .parse(sealedBeforeFile)
const beforeKeyring = createKeyring({
  current: { id: before.key.id, secret: decodeHex(before.key.secret) ?? new Uint8Array() },
})
const beforeVectors = before.values.map((value): FrozenVector => ({
  name: `a value of ${value.place} that an earlier version of the product sealed`,
  read: () => openIn(value.place, value.sealed, value, beforeKeyring),
  expected: value.plaintext,
}))

export const sealedVectors: readonly FrozenVector[] = [...envelopeVectors, ...placeVectors, ...beforeVectors]
