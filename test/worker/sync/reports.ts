// Reads the rows that a sync has set aside, and its runs.
import type { Item } from '../../../src/db/items/items.ts'
import { listSetAside, type StoredSetAside } from '../../../src/db/sync/set-aside.ts'
import { listAllSyncRuns } from '../../../src/db/sync/runs.ts'
import type { World } from '../../support/world.ts'

/** Helpers over the world of a test file. */
export function reports(world: () => World) {
  /** The rows set aside of the item, as an operator sees them. */
  const setAside = async (item: Item, product?: string): Promise<readonly StoredSetAside[]> =>
    (await listSetAside(world().services.jobs, { itemId: item.id, product }, 100, null)).rows
  const lastRun = async (item: Item, product: string) => {
    const { rows } = await listAllSyncRuns(world().services.jobs, { itemId: item.id }, 100, null)
    return rows.find((run) => run.product === product)
  }
  return { setAside, lastRun }
}
