// The change feed of everything: what a client keeps that reads it from the start.
import { describe, expect, it } from 'vitest'
import { linkAndSyncSmallBank, useWorld } from '../../support/item-lifecycle.ts'
import { followAll, listedAll, readFeed } from '../../support/whole-feed.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

describe('the change feed', () => {
  it('lists everything to a client that reads from the start, in pages of any size', async () => {
    const subject = 'reader'
    await linkAndSyncSmallBank(world, subject)
    const truth = await listedAll(world, subject)
    expect(truth.size).toBeGreaterThan(8)
    for (const limit of [1, 3, 500]) {
      const client = followAll(world, subject)
      await client.catchUp(limit)
      expect(client.copy).toEqual(truth)
    }
  })

  it('returns nothing to a person without data', async () => {
    expect(await readFeed(world, 'new here', '0')).toEqual({ data: [], next_since: '0', has_more: false })
  })
})
