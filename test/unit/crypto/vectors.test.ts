// What was stored and signed before is still read, in Node; test/worker/crypto/vectors.test.ts has the same vectors in
// workerd. test/vectors/README.md describes the files.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { auditPurposes } from '../../../src/audit/keys.ts'
import { sealedPlaces } from '../../../src/custody/rewrap.ts'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { frozenVectors } from '../../support/vectors/all.ts'
import { signedPurposes } from '../../support/vectors/audit.ts'
import { codePurposes } from '../../support/vectors/digests.ts'
import { sealedValues } from '../../support/vectors/sealed.ts'
import { makeVectors } from '../../vectors/make.ts'

describe('a stored value or signature of an earlier version', () => {
  test.each(frozenVectors)('is read in Node: $name', async ({ read, expected }) => {
    expect(await read()).toStrictEqual(expected)
  })
})

describe('the frozen vectors', () => {
  test('have a value for each sealed place, each purpose of the audit keys and each kind of code', () => {
    expect(new Set(sealedValues.map(({ place }) => place))).toEqual(new Set(sealedPlaces))
    expect(new Set(signedPurposes)).toEqual(new Set(auditPurposes))
    expect(new Set(codePurposes)).toEqual(new Set(['verify-email', 'reset-password', 'recovery']))
  })

  test('are written again, byte for byte, by a second implementation of the formats', async () => {
    const folder = join(projectFolder, 'test', 'vectors')
    const made = makeVectors()
    for (const [name, text] of Object.entries(made)) expect(await readFile(join(folder, name), 'utf8')).toBe(text)
    const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
    expect(files.toSorted()).toEqual(['envelopes.json', 'sealed-before.json', ...Object.keys(made)].toSorted())
  })
})
