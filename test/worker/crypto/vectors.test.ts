// What was stored and signed before is still read, in workerd and by the functions of the database.
import { describe, expect, it } from 'vitest'
import { frozenVectors } from '../../support/vectors/all.ts'
import { erasedPerson } from '../../support/vectors/digests.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

describe('a stored value or signature of an earlier version', () => {
  it.each(frozenVectors)('is read in workerd: $name', async ({ read, expected }) => {
    expect(await read()).toStrictEqual(expected)
  })

  it('is read by the database: the hash of an erased person', async () => {
    const { issuer, subject, hash } = erasedPerson
    expect(await world.sql('select app.subject_hash($1, $2) as hash', [issuer, subject])).toEqual([{ hash }])
  })
})
