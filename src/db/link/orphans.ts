// Orphans: items that Plaid lists for a user and that have no row here. After a restore of the database, healthy items
// look like orphans, so a switch must allow the removal and only a few are removed a day.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { exchangeTimeoutSeconds } from './exchanges.ts'
import { isBeingLinked, isClaimed, queuedRemoval, removalColumns, type Removal } from '../items/plaid-removals.ts'
import { utcDay } from '../operations/safety-switches.ts'
import { byIndex, plan } from '../core/plans.ts'
import { bigCount, command, query } from '../core/statement.ts'
import { countUnchecked } from './user-checks.ts'

/**
 * How long an unknown item is not touched, because its public token may not be exchanged yet. The token is valid for 30
 * minutes (Plaid), and its exchange takes a moment.
 */
const unclaimedMinutes = 45

const plaidItemId = z.object({ plaid_item_id: z.string() }).transform((row) => row.plaid_item_id)

/**
 * Compares Plaid's list of a user's items with the stored ones. Returns the unknown ones, and those that belong to
 * another user here. `queue` queues the removal of the unknown ones at Plaid. Exchanges without a response become
 * `lost`.
 */
export async function findOrphans(
  jobs: JobsDatabase,
  userId: string,
  plaidItemIds: readonly string[],
  { queue }: { queue: boolean },
): Promise<{ readonly unknown: readonly string[]; readonly ofOthers: readonly string[] }> {
  const unknown = sql`select listed.id as plaid_item_id from unnest(${sql.param(plaidItemIds)}::text[]) as listed(id)
    where not exists (select 1 from items i where i.plaid_item_id = listed.id and i.status <> 'removed')
      and not exists (select 1 from link_exchanges x where x.plaid_item_id = listed.id and x.state = 'exchanged')
      and not exists (select 1 from plaid_removals r where r.plaid_item_id = listed.id)
    order by listed.id`
  const { orphans, ofOthers } = await batch(jobs, {
    exchangesLost: command(sql`update link_exchanges set state = 'lost', updated_at = now() where user_id = ${userId}
        and state = 'started'
        and created_at < now() - make_interval(secs => ${exchangeTimeoutSeconds})`),
    orphans: query(
      plaidItemId,
      queue
        ? sql`insert into plaid_removals (user_id, plaid_item_id, reason, next_attempt_at)
            select ${userId}::uuid, plaid_item_id, 'orphan', now() + make_interval(mins => ${unclaimedMinutes})
            from (${unknown}) as unknown on conflict (plaid_item_id) do nothing returning plaid_item_id`
        : unknown,
    ),
    ofOthers: query(
      plaidItemId,
      sql`select plaid_item_id from items where plaid_item_id = any(${sql.param(plaidItemIds)}::text[])
        and user_id <> ${userId} and status <> 'removed'`,
    ),
  })
  return { unknown: orphans, ofOthers }
}

const queueRow = z.object({
  state: z.string(),
  changed_at: z.coerce.date(),
  removed_today: z.number(),
})
const waitingRow = z.object({ waiting: bigCount, too_new: bigCount, oldest: z.coerce.date().nullable() })

/** What is known of orphans: the switch, the day's removals, and the queue. Counts end at `most`. */
export interface OrphanState {
  /** Undefined if the switch is missing, which means `off`. */
  readonly switchState: string | undefined
  readonly switchChangedAt: Date | null
  readonly removedToday: number
  readonly waiting: number
  /** Of those that wait, how many are not touched yet, because their link may not be finished. */
  readonly tooNew: number
  readonly oldest: Date | null
  readonly uncheckedUsers: number
}

export async function readOrphanState(jobs: JobsDatabase, most: number): Promise<OrphanState> {
  const { stored, queue, users } = await batch(jobs, {
    planned: plan(byIndex),
    stored: query(
      queueRow,
      sql`select state, changed_at, case when counted_on = ${utcDay} then count else 0 end as removed_today
        from safety_switches where name = 'orphan_removal'`,
    ),
    queue: query(
      waitingRow,
      sql`select count(*) as waiting, min(created_at) as oldest,
          count(*) filter (where attempts = 0 and next_attempt_at > now()) as too_new
        from (select created_at, attempts, next_attempt_at from plaid_removals where reason = 'orphan'
          order by created_at limit ${most}) as found`,
    ),
    users: countUnchecked(most),
  })
  return {
    switchState: stored[0]?.state,
    switchChangedAt: stored[0]?.changed_at ?? null,
    removedToday: stored[0]?.removed_today ?? 0,
    waiting: queue[0]?.waiting ?? 0,
    tooNew: queue[0]?.too_new ?? 0,
    oldest: queue[0]?.oldest ?? null,
    uncheckedUsers: users[0]?.count ?? 0,
  }
}

export interface ClaimedOrphans {
  readonly removals: readonly Removal[]
  /** How many wait because the day's limit is reached; 0 if an alarm was raised today already. */
  readonly newlyHeld: number
}

const heldRow = z.object({ waiting: bigCount })

/**
 * Claims due orphans, users in turn: at most `perDay` new ones a day, and those whose removal was attempted before.
 * Claims nothing unless the switch is `end`. An orphan that belongs to a linked item after all leaves the queue.
 */
export async function claimOrphans(jobs: JobsDatabase, limit: number, perDay: number): Promise<ClaimedOrphans> {
  const due = sql`r.reason = 'orphan' and r.next_attempt_at <= now() and not ${isClaimed} and not ${isBeingLinked}
    and exists (select 1 from safety_switches s where s.name = 'orphan_removal' and s.state = 'end')`
  const { claimed, held } = await batch(jobs, {
    claimedLeft: command(sql`delete from plaid_removals r where r.reason = 'orphan' and ${isClaimed}`),
    // Locks the row, so that concurrent claims do not use the same rest of the day's limit.
    dayCounted: command(sql`update safety_switches set count = case when counted_on = ${utcDay} then count
        else 0 end, counted_on = ${utcDay}
        where name = 'orphan_removal'`),
    claimed: query(
      queuedRemoval,
      sql`with claimed as (
          update plaid_removals r set attempts = r.attempts + 1,
            next_attempt_at = now() + least(interval '6 hours', interval '5 minutes' * 2 ^ least(r.attempts, 10))
          from users u where u.id = r.user_id and r.id in (
            select ranked.id from (
              select queued.*, row_number() over (partition by queued.attempts = 0 order by queued.turn,
                queued.next_attempt_at, queued.id) as place
              from (
                select r.id, r.attempts, r.next_attempt_at,
                  row_number() over (partition by r.user_id, r.attempts = 0 order by r.next_attempt_at, r.id) as turn
                from plaid_removals r where ${due}) as queued) as ranked
            where ranked.attempts > 0 or ranked.place <= (select ${perDay} - s.count from safety_switches s
              where s.name = 'orphan_removal')
            order by ranked.turn, ranked.next_attempt_at limit ${limit})
          returning ${removalColumns}
        ), counted as (
          update safety_switches set count = count + (select count(*) from claimed where attempts = 1)
            where name = 'orphan_removal')
        select * from claimed`,
    ),
    held: query(
      heldRow,
      sql`with waiting as (select count(*) as n from plaid_removals r where r.attempts = 0 and ${due})
        update safety_switches set alarmed_on = ${utcDay} from waiting
        where name = 'orphan_removal' and waiting.n > 0 and count >= ${perDay} and alarmed_on is distinct from ${utcDay}
        returning waiting.n as waiting`,
    ),
  })
  return { removals: claimed, newlyHeld: held[0]?.waiting ?? 0 }
}
