// Which texts are public keys of age: those that age itself makes, and none with a mistyped character.
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import { expect, it } from 'vitest'
import { isAgeRecipient } from '../../../src/config/age-recipient.ts'

it('accepts what age makes', async () => {
  for (let count = 0; count < 20; count += 1)
    expect(isAgeRecipient(await identityToRecipient(await generateIdentity()))).toBe(true)
  expect(isAgeRecipient(await identityToRecipient(await generateHybridIdentity()))).toBe(true)
})

it('refuses a key with any one character changed, dropped or doubled', async () => {
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

it.each(['', 'age1', '1', 'age', 'none', 'AGE-SECRET-KEY-1', 'ssh-ed25519 AAAA'])('refuses %j', (text) => {
  expect(isAgeRecipient(text)).toBe(false)
})

it('refuses the secret key of a pair', async () => {
  const identity = await generateIdentity()
  expect(isAgeRecipient(identity)).toBe(false)
  expect(isAgeRecipient(identity.toLowerCase())).toBe(false)
})
