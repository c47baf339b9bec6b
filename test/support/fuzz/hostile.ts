// Values that have broken parsers, databases and headers in other products. No response may contain those with the
// marker.
import * as fc from 'fast-check'

/** Part of generated input. A response that refuses the input must not contain it. */
export const marker = 'zQ7marker'

/** Texts that some parser reads as something other than text. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  `${marker}\r\nX-Injected: yes\r\n\r\n<script>`,
  `${marker}%0d%0aX-Injected:%20yes`,
  `${marker}\u2028\u2029`,
  `${marker}\u202Etxt.exe`,
  `${marker} \uFEFF\u200B`,
  'Ω≈ç√∫˜µ≤≥÷ 田中さん 👩‍👩‍👧‍👦 İstanbul ſ ﷽',
  'a\u0300'.repeat(60),
  '../../../../etc/passwd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%c0%af..%c0%af',
  '%00',
  '%',
  '%zz',
  '%252e%252e',
  '.',
  '..',
  ';/admin',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '1e309',
  '9007199254740993',
  '99999999999999999999999999999999999999999',
  '2026-02-30',
  '0000-00-00',
  '9999-12-31',
  '+010000-01-01',
  `${marker}' or '1'='1`,
  `${marker}"; drop table users; --`,
  `${marker}\\'; select pg_sleep(9); --`,
  `<script>alert("${marker}")</script>`,
  // oxlint-disable-next-line no-template-curly-in-string -- what a template engine would run
  '${7*7}{{7*7}}<%= 7*7 %>#{7*7}',
  '${jndi:ldap://127.0.0.1/x}',
  '=cmd|calc!A1',
  `{"$gt":"${marker}"}`,
  `${marker}%s%n%x`,
  marker.repeat(300),
  'x'.repeat(20_000),
]

/**
 * Text that a database or an encoder cannot store. It is generated often, because a place that does not check for it
 * responds with a 5xx.
 */
const unstorableTexts: readonly string[] = ['\0', `${marker}\0x`, '\uD800', `${marker}\uDC00`]

export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...unstorableTexts) },
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => `${marker} ${text}`),
)

/** Spellings that look like a valid value and are invalid or mean another value. */
export const almost: readonly ((text: string) => string)[] = [
  (text) => `${text}e5`,
  (text) => `+${text}`,
  (text) => `0${text}`,
  (text) => ` ${text}`,
  (text) => `${text}\n`,
  (text) => `${text}.`,
  (text) => `${text}.0.0`,
  (text) => `${text},${text}`,
  (text) => `-${text}`,
  (text) => text.replace(/\d/, '\u0663'),
  (text) => text.slice(0, -1),
  (text) => `${text}${text}`,
  (text) => `0x${text}`,
  () => 'Infinity',
  () => '.5',
]

const numbers = [0, -0, -1, 0.1, 1e308, -1e-308, 2 ** 53 + 1, 2 ** 31, 2 ** 63, 1e21]

const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)

/** Values of every type that JSON has. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  fc.constantFrom<unknown>(null, true, false, ...numbers, [], {}, [null], [[]], { length: -1 }, deep(500)),
  fc.array(hostileText, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('toJSON', 'then', 'length', 'valueOf'), hostileText, { maxKeys: 2 }),
)

/** Names of inherited members of every object, and names that no schema has. */
export const strangeKey: fc.Arbitrary<string> = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'user_id',
  'role',
  'is_admin',
  '$where',
  '',
  'a b',
  `${marker} b`,
  '\0',
  'ключ',
)
