// A sealed value that was altered, moved or sealed in another way opens nowhere, and a client sees one wording for all of
// it: the response is no oracle. Only the log has the reason.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src/errors.ts'
import { problemResponse } from '../../../src/http/problem.ts'
import { sealedPlaces } from '../../../src/custody/rewrap.ts'
import { openIn, sealedValues } from '../../support/vectors/sealed.ts'

type SealedValue = (typeof sealedValues)[number]

const requestId = '00000000-0000-4000-8000-000000000001'
const otherId = '00000000-0000-4000-8000-000000000002'
const wording = {
  type: '/problems/token_undecryptable',
  title: 'Internal error',
  status: 500,
  detail: 'A stored secret could not be read.',
  instance: `urn:uuid:${requestId}`,
  code: 'token_undecryptable',
}

/** What a client sees when the product opens the value. */
async function responseTo(opening: Promise<string>): Promise<unknown> {
  const outcome = await opening.then(
    (plaintext) => ({ opened: plaintext }),
    (error: unknown) => error,
  )
  if (!(outcome instanceof AppError)) return outcome
  const response = problemResponse(outcome, requestId)
  return { headers: Object.fromEntries(response.headers), body: await response.json() }
}
const refused = { headers: { 'content-type': 'application/problem+json' }, body: wording }

const value = fc.constantFrom(...sealedValues)

/** The sealed text with another part: 0 version, 1 key id, 2 salt, 3 nonce, 4 commitment, 5 ciphertext and tag. */
const withPart = (sealed: string, index: number, change: (part: string) => string): string =>
  sealed
    .split('.')
    .map((part, at) => (at === index ? change(part) : part))
    .join('.')

const inBytes = (change: (bytes: Buffer) => Buffer) => (part: string) =>
  change(Buffer.from(part, 'base64url')).toString('base64url')

const flip = (bit: number) =>
  inBytes((bytes) => {
    const at = Math.floor(bit / 8) % bytes.length
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8))
    return bytes
  })

const altered: readonly [string, fc.Arbitrary<(sealed: string) => string>][] = [
  [
    'one flipped bit',
    fc.tuple(fc.integer({ min: 2, max: 5 }), fc.nat(511)).map(
      ([part, bit]) =>
        (sealed) =>
          withPart(sealed, part, flip(bit)),
    ),
  ],
  [
    'a truncated tag',
    fc.integer({ min: 1, max: 16 }).map(
      (length) => (sealed) =>
        withPart(
          sealed,
          5,
          inBytes((bytes) => bytes.subarray(0, -length)),
        ),
    ),
  ],
  [
    'a byte too many',
    fc.nat(255).map(
      (byte) => (sealed) =>
        withPart(
          sealed,
          5,
          inBytes((bytes) => Buffer.concat([bytes, Buffer.from([byte])])),
        ),
    ),
  ],
  [
    'another version',
    fc
      .constantFrom('wn0', 'wn3', 'other', 'WN1', '', 'wn1 ')
      .map(
        (version) => (sealed) =>
          withPart(sealed, 0, (given) => (version === 'other' ? (given === 'wn1' ? 'wn2' : 'wn1') : version)),
      ),
  ],
  [
    'the id of another key',
    fc
      .constantFrom('v3', 'v0', '', 'v1v2')
      .map((id) => (sealed: string) => withPart(sealed, 1, (given) => id || (given === 'v1' ? 'v2' : 'v1'))),
  ],
]

describe('a sealed value', () => {
  test.each(sealedValues)('opens unchanged: $place under the key $keyId', async (given) => {
    expect(await responseTo(openIn(given.place, given.sealed, given))).toEqual({ opened: given.plaintext })
  })

  test.each(altered)('is refused like every other one, with %s', async (_name, alteration) => {
    await fc.assert(
      fc.asyncProperty(value, alteration, async (given, alter) => {
        expect(await responseTo(openIn(given.place, alter(given.sealed), given))).toEqual(refused)
      }),
      { numRuns: 60 },
    )
  })

  test.each<[string, (given: SealedValue) => Promise<string>]>([
    ['the row', (given) => openIn(given.place, given.sealed, { userId: given.userId, itemId: otherId })],
    [
      'the user',
      // The user of a second factor is its row.
      (given) =>
        openIn(given.place, given.sealed, {
          userId: otherId,
          itemId: given.place === 'totp_secrets' ? otherId : given.itemId,
        }),
    ],
    ['user and row together', (given) => openIn(given.place, given.sealed, { userId: given.itemId, itemId: otherId })],
  ])('is refused like every other one where it was moved to another place: %s', async (_name, openElsewhere) => {
    for (const given of sealedValues) expect(await responseTo(openElsewhere(given))).toEqual(refused)
  })

  test('is refused like every other one in another table or column, for the same user and row', async () => {
    // Before `wn2`, a token was bound to `items` wherever it lay. Those values stay readable in the three tables.
    const tokens: readonly string[] = ['items', 'link_exchanges', 'plaid_removals']
    // A secret keeps its seal when the next one replaces it.
    const secrets: readonly string[] = ['webhook_secrets', 'previous_webhook_secrets']
    const opensIn = ({ version, place }: SealedValue, other: string): boolean =>
      (version === 'wn1' ? [tokens, secrets] : []).find((group) => group.includes(place))?.includes(other) ??
      place === other
    let moved = 0
    for (const from of sealedValues)
      for (const place of sealedPlaces) {
        if (opensIn(from, place)) continue
        expect([place, await responseTo(openIn(place, from.sealed, from))]).toEqual([place, refused])
        moved += 1
      }
    // Six tokens of `wn1` in four places, four secrets of endpoints in five, four other values and four tokens of `wn2` in six.
    expect(moved).toBe(6 * 4 + 4 * 5 + 4 * 6 + 4 * 6)
  })
})
