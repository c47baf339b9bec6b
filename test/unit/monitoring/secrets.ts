// Invented secrets of every kind that the product handles, for tests that search output for them.

import * as z from 'zod'

const random = (length: number, seed: number) =>
  Buffer.from(Array.from({ length }, (_, index) => (index * 89 + seed * 57 + 31) % 256))

const jwtPart = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The secrets by kind. No output may contain them. */
export const secrets: Readonly<Record<string, string>> = {
  'access token': 'access-sandbox-de3ce8ef-33f8-452c-a685-8671031fc0f6',
  'public token': 'public-production-b0e2c4ee-a763-4df5-bfe9-46a46bce993d',
  'link token': 'link-sandbox-33792986-2b9c-4b80-b1f2-518caaac6183',
  'processor token': 'processor-sandbox-0asd1-a92nc-3b80-b1f2-518caaac6183',
  JWT: `${jwtPart({ alg: 'HS256' })}.${jwtPart({ sub: 'u' })}.${random(32, 1).toString('base64url')}`,
  'Plaid secret': '0123456789abcdef0123456789abcd',
  'key in base64': random(32, 2).toString('base64'),
  'key in base64url': random(32, 3).toString('base64url'),
  'key in hex': random(32, 4).toString('hex'),
  envelope: `wn1.1.${[32, 12, 32, 60].map((length, index) => random(length, index).toString('base64url')).join('.')}`,
  'API key': ['wn', 'test', 'k'.repeat(49)].join('_'),
  'age identity': 'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQS3WAZHJ',
  email: 'jane.doe+bank@mail.example.org',
}

export const password = 'p4ss-W0rd!x'

/** Errors of parsers that quote their input, here a person's name. */
export function quotingCauses(): unknown[] {
  const causes: unknown[] = []
  for (const parse of [() => JSON.parse('{"name": Jane}'), () => z.strictObject({}).parse({ 'Jane Doe': 1 })]) {
    try {
      parse()
    } catch (error) {
      causes.push(error)
    }
  }
  return causes
}
