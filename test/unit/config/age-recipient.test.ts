// Which texts are public keys of age: those that age itself makes, and none with a mistyped character.
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { isAgeRecipient } from '../../../src/config/age-recipient.ts'

it('an age recipient is accepted as age makes it', async () => {
  for (let count = 0; count < 20; count += 1)
    expect(isAgeRecipient(await identityToRecipient(await generateIdentity()))).toBe(true)
  expect(isAgeRecipient(await identityToRecipient(await generateHybridIdentity()))).toBe(true)
})

it('an age recipient is refused with any one character changed, dropped or doubled', async () => {
  const recipient = await identityToRecipient(await generateIdentity())
  for (let at = 0; at < recipient.length; at += 1) {
    const [before, after] = [recipient.slice(0, at), recipient.slice(at + 1)]
    const other = recipient[at] === 'q' ? 'p' : 'q'
    for (const changed of [
      `${before}${other}${after}`,
      `${before}${after}`,
      `${before}${recipient[at]}${recipient[at]}${after}`,
    ])
      expect([changed, isAgeRecipient(changed)]).toEqual([changed, false])
  }
})

it.each(['', 'age1', '1', 'age', 'none', 'AGE-SECRET-KEY-1', 'ssh-ed25519 AAAA'])(
  'an age recipient is refused as %j',
  (text) => {
    expect(isAgeRecipient(text)).toBe(false)
  },
)

it('an age recipient is refused if it is the secret key of a pair', async () => {
  const identity = await generateIdentity()
  expect(isAgeRecipient(identity)).toBe(false)
  expect(isAgeRecipient(identity.toLowerCase())).toBe(false)
})
