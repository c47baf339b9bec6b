// Pushes the bank's days ahead; life goes on there meanwhile.

import type { World } from '../world.ts'

/** Gives the bank's day before and after. */
export function advanceClock(world: World, ms: number): object {
  const from = world.clock.today()
  world.clock.advance(ms)
  return { from, today: world.clock.today() }
}
