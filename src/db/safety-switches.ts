// Switches that stop dangerous work. They are rows, because isolates come and go and an operator must be able to stop the
// work without a deployment. The stricter of a row and its variable wins.
import { sql } from 'drizzle-orm'
import { batch, type JobsDatabase, rows } from './client.ts'

/** How far an item at Plaid that no row knows is removed, strictest first: not at all, reported only, removed. */
export const orphanModes = ['off', 'report', 'end'] as const
export type OrphanMode = (typeof orphanModes)[number]

/** The current day in UTC: the database's session may have another time zone. */
export const utcDay = sql.raw(`(now() at time zone 'utc')::date`)

/** The stricter of the variable and the switch. A missing switch means `off`. */
export async function orphanMode(jobs: JobsDatabase, configured: OrphanMode): Promise<OrphanMode> {
  const [found] = await batch(jobs, [
    rows<{ state: string }>(jobs, sql`select state from safety_switches where name = 'orphan_removal'`),
  ])
  const allowed = [configured, found.rows[0]?.state ?? 'off']
  return orphanModes.find((mode) => allowed.includes(mode)) ?? 'off'
}
