// Tracks which products have a sync message in the queue. A second message for one of them would find nothing to do.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { command, query } from '../core/statement.ts'

/** How many seconds after its due time a message counts as lost. */
const lostSeconds = 60

/** When a message that is sent now counts as lost. */
export const claimedUntil = sql`now() + make_interval(secs => ${lostSeconds})`
/** Whether a row of `item_products` has no message in the queue and is not being read. */
export const needsMessage = sql`(woken_until is null or woken_until < now()) and (lease_expires_at is null
  or lease_expires_at < now())`

export interface DueMessage {
  readonly id: string
  readonly delaySeconds: number
}

/** For each user: the first `burst` messages are sent without delay, the others at a rate of `perSecond`. */
export interface Pace {
  readonly burst: number
  readonly perSecond: number
}

const claimRow = z.object({ id: z.string(), delay: z.number() })

/**
 * Claims the products that need a message, in the given order: those without a message in the queue that are not being
 * read. Messages of the same user in the queue keep their places, so a user who requests syncs repeatedly gets no
 * second burst. A current run sees a mark that is set meanwhile, and enqueues its product again. Must be called after
 * the dirty marks are committed.
 */
export async function claimMessages(
  jobs: JobsDatabase,
  ids: readonly string[],
  delaySeconds: number,
  { burst, perSecond }: Pace,
): Promise<DueMessage[]> {
  const { claimed } = await batch(jobs, {
    claimed: query(
      claimRow,
      sql`with free as (
          select id, user_id from item_products where id = any(${sql.param(ids)}::uuid[]) and ${needsMessage}
            order by id for no key update
        ), ahead as (
          select user_id, count(*) as messages from item_products
          where user_id in (select user_id from free) and woken_until > now() group by user_id
        ), paced as (
          select free.id, given.n, ${delaySeconds}::int + ceil(greatest(0, coalesce(ahead.messages, 0)
            + row_number() over (partition by free.user_id order by given.n) - ${burst}::int) /
              ${perSecond}::numeric)::int as delay
          from free join unnest(${sql.param(ids)}::uuid[]) with ordinality as given(id, n) on given.id = free.id
          left join ahead on ahead.user_id = free.user_id
        ), woken as (
          update item_products p set woken_until = now() + make_interval(secs => ${lostSeconds} + paced.delay)
          from paced where p.id = paced.id
        ) select id, delay from paced order by n`,
    ),
  })
  return claimed.map(({ id, delay }) => ({ id, delaySeconds: delay }))
}

/** Clears the claims of messages that the queue did not accept. */
export async function releaseMessages(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await execute(jobs, [
    command(sql`update item_products set woken_until = null where id = any(${sql.param(ids)}::uuid[])`),
  ])
}
