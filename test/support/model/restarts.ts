// Shows that the database really restarted: a row in an unlogged table does not survive it.
import type { World } from '../world.ts'

export interface Restarts {
  /** Call this before the restart. */
  expect(): Promise<void>
  hasHappened(): Promise<boolean>
}

export async function watchRestarts(world: World): Promise<Restarts> {
  await world.sql('create unlogged table if not exists restart_marks (mark int)')
  await world.sql('truncate restart_marks')
  let isExpected = false
  return {
    async expect() {
      if (!isExpected) await world.sql('insert into restart_marks values (1)')
      isExpected = true
    },
    hasHappened: async () => isExpected && (await world.sql('select 1 from restart_marks')).length === 0,
  }
}
