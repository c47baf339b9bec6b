// Rows set aside are deleted because of their age while their user's syncs commit: the deletion takes a number of the user's
// counter, and waits for no commit.
import { expect, it } from 'vitest'
import { purgeRows } from '../../../src/db/records/retention.ts'
import { run, seedUser, steps } from '../../support/feed-steps.ts'
import { useWorld } from '../../support/item-lifecycle.ts'
import type { World } from '../../support/world.ts'

let world: World
useWorld((made) => {
  world = made
})

const purge = async (): Promise<number> =>
  await purgeRows(world.services.jobs, { name: 'set_aside_rows', days: 90 }, 1000)

it('the purge of rows set aside leaves out a user whose counter a commit holds, so that neither ends the other in a deadlock', async () => {
  const [busy, quiet] = [await seedUser(world, 'busy'), await seedUser(world, 'quiet')]
  for (const userId of [busy, quiet]) await run(world, userId, steps['set aside'] ?? [], 1)
  await world.sql(`update set_aside_rows set first_seen_at = now() - interval '300 days'`)
  // As a commit: first the user's row, and at the end the rows that were set aside.
  const commit = world.sql(`do $$ begin
      perform from users where id = '${busy}' for no key update;
      perform pg_advisory_xact_lock(7011002);
      perform pg_sleep(2);
      delete from set_aside_rows where user_id = '${busy}';
    end $$`)
  await expect
    .poll(() => world.sql(`select 1 from pg_locks where locktype = 'advisory' and objid = 7011002`), { interval: 10 })
    .toHaveLength(1)
  expect(await purge()).toBe(1)
  expect(await world.sql('select user_id from set_aside_rows')).toEqual([{ user_id: busy }])
  await commit
  expect(await purge()).toBe(0)
})
