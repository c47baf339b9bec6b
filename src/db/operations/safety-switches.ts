// Switches that stop dangerous work. They are rows, because isolates are short-lived and an operator must be able to
// stop the work without a deployment. The stricter of a row and its variable applies.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { bigCount, query } from '../core/statement.ts'

/** What happens to an item at Plaid without a row here, strictest first: nothing, a report, its removal. */
export const orphanModes = ['off', 'report', 'end'] as const
export type OrphanMode = (typeof orphanModes)[number]

/** The states of each switch. */
export const switchStates = {
  orphan_removal: orphanModes,
  item_loss: ['armed', 'tripped', 'off'],
  freeze: ['off', 'recovery', 'frozen', 'locked'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** A few lost items are the items' own problem. This many within ten minutes are a fault on our side. */
const lossWindow = sql.raw("interval '10 minutes'")
const mostLosses = 20
const fewestLosses = 3
const percentLost = 20

/** Whether items may not become lost at the moment, as a condition. */
export const lossesStopped = sql`exists (select 1 from safety_switches s where s.name = 'item_loss'
  and s.state = 'tripped')`

const stateRow = z.object({ state: z.string() })

/** Reads and locks the breaker, so that concurrent runs that lose an item see each other's losses. */
export const lockLosses = (isLoss: boolean) =>
  query(stateRow, sql`select state from safety_switches where name = 'item_loss' and ${isLoss} for no key update`)

const tripRow = z.object({ count: bigCount })

/** Trips the breaker if too many items were lost recently, including those of this transaction. Returns how many. */
export const tripLosses = (isLoss: boolean) =>
  query(
    tripRow,
    sql`update safety_switches s set state = 'tripped', changed_at = now()
      from (select count(*) as n from (
        select 1 from items where lost_at > now() - ${lossWindow} limit ${mostLosses}) as recent) as lately
      where s.name = 'item_loss' and s.state = 'armed' and ${isLoss} and (lately.n >= ${mostLosses}
        or lately.n >= ${fewestLosses} and lately.n * 100 >= ${percentLost} * (
          select count(*) from (select 1 from items i where i.removed_at is null
            and (i.status not in ('relink_required', 'revoked') or i.lost_at > now() - ${lossWindow})
            limit ${(mostLosses * 100) / percentLost + 1}) as living))
      returning lately.n as count`,
  )

const stoppedRow = z.object({ stopped: z.boolean() })

/** Whether the breaker has tripped. */
export async function areLossesStopped(jobs: JobsDatabase): Promise<boolean> {
  const { found } = await batch(jobs, {
    found: query(stoppedRow, sql`select ${lossesStopped} as stopped`),
  })
  return found[0]?.stopped === true
}

/** The current day in UTC: the database's session may have another time zone. */
export const utcDay = sql.raw(`(now() at time zone 'utc')::date`)

/** The stricter of the variable and the switch. A missing switch means `off`. */
export function stricterMode(configured: OrphanMode, stored: string | undefined): OrphanMode {
  const allowed = [configured, stored ?? 'off']
  return orphanModes.find((mode) => allowed.includes(mode)) ?? 'off'
}

export async function orphanMode(jobs: JobsDatabase, configured: OrphanMode): Promise<OrphanMode> {
  const { found } = await batch(jobs, {
    found: query(stateRow, sql`select state from safety_switches where name = 'orphan_removal'`),
  })
  return stricterMode(configured, found[0]?.state)
}
