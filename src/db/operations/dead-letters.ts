// Messages that could not be processed. They are kept for operators to inspect and replay.
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { and, desc, isNull, sql } from 'drizzle-orm'
import * as z from 'zod'
import { deadLetters } from '../../../drizzle/tables/operations.ts'
import { execute, batch, type JobsDatabase } from '../core/client.ts'
import { askedAgain } from '../sync/work.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { inIndexOrder, plan } from '../core/plans.ts'
import { command, query } from '../core/statement.ts'

export interface DeadLetter {
  readonly queue: string
  readonly messageId: string
  readonly itemProductId: string | null
  readonly reason: string
  /** Ids only. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** How many letters with the same content are kept; more would have no new information. */
const mostWithSameContent = 10

/** Records a message once, even if it is delivered repeatedly. */
export async function recordDeadLetter(jobs: JobsDatabase, letter: DeadLetter): Promise<void> {
  const { queue, messageId, itemProductId, reason, payload } = letter
  const content = JSON.stringify(payload)
  await execute(jobs, [
    command(sql`insert into dead_letters (queue, message_id, item_product_id, reason, payload)
        select ${queue}, ${messageId}, ${itemProductId}::uuid, ${reason}, ${content}::jsonb
        where (select count(*) from (
          select 1 from dead_letters where item_product_id is not distinct from ${itemProductId}::uuid
            and queue = ${queue} and payload = ${content}::jsonb limit ${mostWithSameContent}
        ) alike) < ${mostWithSameContent}
        on conflict do nothing`),
  ])
}

export interface StoredDeadLetter extends Omit<DeadLetter, 'payload'> {
  readonly id: string
  readonly createdAt: Date
  readonly replayedAt: Date | null
  readonly replays: number
}

/** Dead letters, newest first; with `open`, those that were not replayed. */
export async function listDeadLetters(
  jobs: JobsDatabase,
  { open }: { readonly open: boolean },
  limit: number,
  from: Key | null,
): Promise<Page<StoredDeadLetter>> {
  const { found } = await batch(jobs, {
    planned: plan(inIndexOrder),
    found: jobs.connection
      .select({
        id: deadLetters.id,
        queue: deadLetters.queue,
        messageId: deadLetters.messageId,
        itemProductId: deadLetters.itemProductId,
        reason: deadLetters.reason,
        createdAt: deadLetters.createdAt,
        replayedAt: deadLetters.replayedAt,
        replays: deadLetters.replays,
      })
      .from(deadLetters)
      .where(
        and(
          open ? isNull(deadLetters.replayedAt) : undefined,
          after(from, deadLetters.createdAt, deadLetters.id, 'desc'),
        ),
      )
      .orderBy(desc(deadLetters.createdAt), desc(deadLetters.id))
      .limit(limit + 1),
  })
  return toPage(found, limit, (letter) => [letter.createdAt.toISOString(), letter.id])
}

export interface Replayed {
  /** The number of replayed letters. */
  readonly letters: number
  /** The products to enqueue, without those that no longer exist. */
  readonly itemProductIds: readonly string[]
  readonly linkSessionIds: readonly string[]
}

const replayedRow = z.object({ kind: z.enum(['letter', 'product']), id: z.string().nullable() })

/**
 * Replays one dead letter, or the oldest `limit` that were not replayed yet: marks their products dirty and their Link
 * sessions due. Nothing else in them is trusted. Null if there is no such letter.
 */
export async function replayDeadLetters(
  jobs: JobsDatabase,
  which: { readonly id: string } | { readonly limit: number },
  audit: AuditRow,
): Promise<Replayed | null> {
  const chosen =
    'id' in which
      ? sql`id = ${which.id}`
      : sql`id in (select id from dead_letters where replayed_at is null order by created_at, id limit ${which.limit})`
  const { found } = await batch(jobs, {
    // Lock order: the item's row before its other rows.
    itemsLocked: command(sql`select id from items where id in (select item_id from item_products
        where id in (select item_product_id from dead_letters where ${chosen})) order by id for no key update`),
    recorded: recordAudit(audit, sql`exists (select 1 from dead_letters where ${chosen})`),
    found: query(
      replayedRow,
      sql`with played as (
          update dead_letters set replayed_at = now(), replays = replays + 1 where ${chosen}
          returning item_product_id, payload ->> 'link_session_id' as link_session_id
        ), marked as (
          update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), ${askedAgain('p')} from items i
          where i.id = p.item_id and i.removed_at is null and p.id in (select item_product_id from played)
          returning p.id
        ), asked as (
          update link_sessions set check_at = now()
          where id in (select link_session_id::uuid from played) and token_sealed is not null
        )
        select 'letter' as kind, link_session_id as id from played union all select 'product', id::text from marked`,
    ),
  })
  const letters = found.filter(({ kind }) => kind === 'letter')
  if (letters.length === 0 && 'id' in which) return null
  return {
    letters: letters.length,
    itemProductIds: found.flatMap(({ kind, id }) => (kind === 'product' && id !== null ? [id] : [])),
    linkSessionIds: letters.flatMap(({ id }) => (id === null ? [] : [id])),
  }
}
