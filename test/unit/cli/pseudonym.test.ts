// With the key of the local stack, a pseudonym is none of a deployment's.
import { expect, it } from 'vitest'
import { secretKeyOf } from '../../../src/cli/pseudonym.ts'

const pseudonymKey = (chosen: Record<string, string>, examples: Record<string, string>) => {
  const said: string[] = []
  return { key: secretKeyOf({ chosen, examples }, (line) => void said.push(line)), said }
}

it('the key of the environment is used without a word', () => {
  expect(pseudonymKey({ SECRET_KEY: 'own' }, { SECRET_KEY: 'example' })).toEqual({ key: 'own', said: [] })
})

it('the key of the example is used with a warning', () => {
  for (const chosen of [{}, { SECRET_KEY: '' }]) {
    const { key, said } = pseudonymKey(chosen, { SECRET_KEY: 'example' })
    expect({ key, said }).toEqual({ key: 'example', said: [expect.stringContaining('of no deployment')] })
  }
})

it('a deployment without a key for pseudonyms is an error', () => {
  expect(() => pseudonymKey({}, {})).toThrow('SECRET_KEY is not set')
})
