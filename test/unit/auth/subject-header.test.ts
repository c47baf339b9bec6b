import { expect, it } from 'vitest'
import { parseSubject } from '../../../src/auth/subject-header.ts'

it.each(['a', '1042', 'auth0|6f2', 'b7c1-4d', 'a b', 'a.b@c', '~', '!', 'x'.repeat(255)])(
  'WN-User may be %j',
  (text) => {
    expect(parseSubject(text)).toBe(text)
  },
)

// Two headers of one name arrive as `a, b`: they must not be a third user.
it.each(['', ' ', ' a', 'a ', 'a, b', 'a,b', 'a\tb', 'a\nb', 'a\0', 'é', '\u00e9', '😀', '\ud800', 'x'.repeat(256)])(
  'WN-User may not be %j',
  (text) => {
    expect(parseSubject(text)).toBeNull()
  },
)
