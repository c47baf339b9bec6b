// Cloudflare is eventually consistent: a read of the traffic table can be older than a change.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cloudflare, Share } from '../../../../src/cli/lib/cloudflare.ts'
import { first, type Harness, second, withRelease } from './harness.ts'

let harness: Harness
beforeEach(async () => {
  harness = await withRelease()
})
afterEach(() => harness.end())

/** A Cloudflare that returns an older table for a number of reads, once the new version was given a share. */
function staleCloudflare(percentage: number, reads: number, older?: readonly Share[]): Cloudflare {
  const { cloudflare } = harness
  let left = 0
  let table: readonly Share[] = []
  return {
    ...cloudflare,
    setTraffic: async (shares, message) => {
      if (shares.some((share) => share.versionId === second && share.percentage === percentage)) {
        table = older ?? (await cloudflare.traffic()) ?? []
        left = reads
      }
      await cloudflare.setTraffic(shares, message)
    },
    traffic: async () => ((left -= 1) >= 0 ? [...table] : await cloudflare.traffic()),
  }
}

describe('a traffic table that is read late', () => {
  it.each([0, 10, 100])('is read for up to a minute after the change to %d per cent', async (percentage) => {
    expect(await harness.run({ cloudflare: staleCloudflare(percentage, 25) })).toBe(second)
  })

  it('is also known where it is older than the last change', async () => {
    const older = [{ versionId: first, percentage: 100 }]
    expect(await harness.run({ cloudflare: staleCloudflare(10, 5, older) })).toBe(second)
  })

  it.each([0, 10, 100])(
    'is no other deployment if it never shows %d per cent: the change is undone',
    async (percentage) => {
      const cloudflare = staleCloudflare(percentage, 1_000_000)
      await expect(harness.run({ cloudflare })).rejects.toThrow(
        /still shows an older traffic table: [^]*The traffic is as before/,
      )
      expect(harness.traffic()).toEqual({ [first]: 100 })
      expect(await harness.state()).toMatchObject({ phase: 'rolled_back' })
    },
  )
})
