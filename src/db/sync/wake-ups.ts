// Which products have a wake-up message on its way. Another message for one of them would find nothing left to do.
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { command, query } from '../core/statement.ts'

/** Seconds after its due time at which a message counts as lost. */
const lostSeconds = 60

/** Until when a message that was just sent is waited for. */
export const expectedUntil = sql`now() + make_interval(secs => ${lostSeconds})`
/** Whether a row of `item_products` neither waits for a message nor is being read. */
export const isUnclaimed = sql`(woken_until is null or woken_until < now()) and (lease_expires_at is null
  or lease_expires_at < now())`

export interface DueMessage {
  readonly id: string
  readonly delaySeconds: number
}

/** Of each user: the first `burst` messages come at once, the others `perSecond`. */
export interface Pace {
  readonly burst: number
  readonly perSecond: number
}

const claimRow = z.object({ id: z.string(), delay: z.number() })

/**
 * Claims the products that need a message, in the given order: those that neither wait for one nor are being read.
 * Messages of the same user that are on their way already keep their places: one who asks again and again gets no
 * second burst. A run that is under way sees a mark that was raised meanwhile, and wakes its product again. To be
 * called after the marks were raised and committed.
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
          select id, user_id from item_products where id = any(${sql.param(ids)}::uuid[]) and ${isUnclaimed}
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

/** The queue did not take these messages. */
export async function releaseMessages(jobs: JobsDatabase, ids: readonly string[]): Promise<void> {
  await execute(jobs, [
    command(sql`update item_products set woken_until = null where id = any(${sql.param(ids)}::uuid[])`),
  ])
}
