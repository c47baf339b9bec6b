// Which value of a variable the local Worker gets, and that it gets it unchanged.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, asyncProperty, stringMatching } from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unstable_getVarsForDev } from 'wrangler'
import * as z from 'zod'
import { environmentSchema } from '../../../../src/config/variables.ts'
import { formatVariables, readLocalVariables, variableNames } from '../../../../src/dev/lib/local-variables.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const bindings = z.record(z.string(), z.object({ value: z.string() }))

/** What wrangler itself reads from the file. */
async function readByWrangler(text: string): Promise<Record<string, string>> {
  const path = join(folder, 'variables.env')
  await writeFile(path, text)
  const read = bindings.parse(unstable_getVarsForDev(join(folder, 'wrangler.toml'), [path], {}, undefined, true))
  return Object.fromEntries(Object.entries(read).map(([name, { value }]) => [name, value]))
}

describe('the file for wrangler', () => {
  it.each([
    ['JSON', '{"a":["b c"]}'],
    ['what looks like a variable', 'a$HOME-${PATH}'],
    ['several lines', 'one\ntwo # no comment'],
    ['quotes of two kinds', `it's "quoted"`],
    ['nothing', ''],
    ['spaces at the ends', '  x  '],
    ['what looks like an escape', String.raw`a\nb\t`],
  ])('gives back %s as it was', async (_, value) => {
    expect(await readByWrangler(formatVariables({ NAME: value, OTHER: 'next' }))).toEqual({
      NAME: value,
      OTHER: 'next',
    })
  })

  it('gives back any text that it accepts', async () => {
    const text = stringMatching(/^[ -~\n]*$/)
    await assert(
      asyncProperty(text, async (value) => {
        let formatted: string
        try {
          formatted = formatVariables({ NAME: value })
        } catch {
          return
        }
        expect(await readByWrangler(formatted)).toEqual({ NAME: value })
      }),
      { numRuns: 200 },
    )
  })

  it('refuses what it could not carry, by the name and not the value', () => {
    expect(() => formatVariables({ NAME: `secret'"\`` })).toThrow(/^NAME (?!.*secret)/)
  })
})

describe('a variable', () => {
  it('comes from the shell before .dev.vars, and from there before the examples', async () => {
    await writeFile(join(folder, '.dev.vars'), 'SECRET_KEY=file\nPLAID_ENV=file\n')
    await writeFile(join(folder, '.dev.vars.example'), 'SECRET_KEY=example\nPLAID_SECRET=example\n')
    const read = await readLocalVariables(folder, {
      SECRET_KEY: 'shell',
      HOME: '/root',
      AUTH_ISSUER: 'https://a.example',
    })
    expect(read).toEqual({
      chosen: { SECRET_KEY: 'shell', PLAID_ENV: 'file', AUTH_ISSUER: 'https://a.example' },
      examples: {},
    })
  })

  it('comes from the examples where there is no .dev.vars', async () => {
    await writeFile(join(folder, '.dev.vars.example'), 'SECRET_KEY=example\n')
    expect(await readLocalVariables(folder, {})).toEqual({ chosen: {}, examples: { SECRET_KEY: 'example' } })
  })
})

describe('the variables that pass from the shell to a local Worker', () => {
  it('are all of its configuration', () => {
    const named = Object.keys(environmentSchema.shape).filter((name) => !name.startsWith('AUTH_'))
    expect([...variableNames].toSorted()).toEqual(named.toSorted())
  })
})
