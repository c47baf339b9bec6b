// Rechecks items with the status `relink_required` at an operator's request.
import { type AuditRow, recorded } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { askedAgain } from '../sync/work.ts'
import { command, idRow, query } from '../core/statement.ts'

export interface RecheckedItem {
  readonly itemId: string
  readonly userId: string
  readonly status: string
  readonly sealed: string
}

const itemRow = z.object({ user_id: z.string(), status: z.string(), access_token_sealed: z.string() })

/** An item of any user that is not removed. */
export async function findItemToRecheck(jobs: JobsDatabase, itemId: string): Promise<RecheckedItem | null> {
  const { found } = await batch(jobs, {
    found: query(
      itemRow,
      sql`select user_id, status, access_token_sealed from items where id = ${itemId} and removed_at is null`,
    ),
  })
  const row = found[0]
  return row === undefined ? null : { itemId, userId: row.user_id, status: row.status, sealed: row.access_token_sealed }
}

/**
 * Marks all products of the item to be read again. If the item was lost, its token works after all: the item becomes
 * `initializing`, its queued removal at Plaid is cancelled, and the breaker is reset. Returns the products' ids; null
 * if the item has changed since it was found.
 */
export async function restoreItem(
  jobs: JobsDatabase,
  item: RecheckedItem,
  audit: AuditRow,
): Promise<readonly string[] | null> {
  const { restored, marked } = await batch(jobs, {
    restored: query(
      idRow,
      sql`update items set updated_at = now(), lost_at = null,
          status = case when status = 'relink_required' then 'initializing' else status end,
          status_reason = case when status = 'relink_required' then null else status_reason end,
          rotation_started_at = case when status = 'relink_required' then null else rotation_started_at end,
          rotation_owner = case when status = 'relink_required' then null else rotation_owner end
        where id = ${item.itemId} and removed_at is null and status = ${item.status}
          and access_token_sealed = ${item.sealed}
        returning set_config('app.restored', id::text, true) as id, ${recorded(audit)}`,
    ),
    removalWithdrawn:
      command(sql`delete from plaid_removals r using items i where i.id::text = current_setting('app.restored', true)
        and r.plaid_item_id = i.plaid_item_id and r.reason = 'token_lost'`),
    breakerArmed: command(sql`update safety_switches set state = 'armed', changed_at = now() where name = 'item_loss'
        and state = 'tripped'
        and ${item.status} = 'relink_required' and current_setting('app.restored', true) = ${item.itemId}`),
    marked: query(
      idRow,
      sql`update item_products p set dirty_seq = dirty_seq + 1, next_attempt_at = now(), attempts = 0,
        ${askedAgain('p')}
        where item_id::text = current_setting('app.restored', true) returning p.id`,
    ),
  })
  return restored.length === 0 ? null : marked
}
