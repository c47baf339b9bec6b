// Holds the simulator's current world, which a reset replaces.
import type { World } from './world.ts'

export interface Stage {
  world: World
  reset(seed: string): Promise<void>
}
