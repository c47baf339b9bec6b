// The time of the model, and whether any work is left.
import type { World } from '../world.ts'

/** Lets the time pass that leases, retries, rotations and the reconciler wait for. One statement: it runs often. */
export async function letModelTimePass(world: World): Promise<void> {
  await world.sql(`with products as (update item_products set lease_expires_at = lease_expires_at - interval '1 day',
      next_attempt_at = next_attempt_at - interval '1 day', woken_until = woken_until - interval '1 day',
      last_synced_at = last_synced_at - interval '1 day'),
    exchanges as (update link_exchanges set created_at = created_at - interval '1 day',
      next_attempt_at = next_attempt_at - interval '1 day'),
    removals as (update plaid_removals set next_attempt_at = next_attempt_at - interval '1 day'),
    sessions as (update link_sessions set check_at = check_at - interval '1 day'),
    checks as (update users set plaid_items_checked_at = plaid_items_checked_at - interval '2 days'),
    rotations as (update items set rotation_started_at = rotation_started_at - interval '1 day')
    update sync_staging set staged_at = staged_at - interval '1 day'`)
}

/** Whether no work is left to do. */
export async function isIdle(world: World): Promise<boolean> {
  const [row] = await world.sql(`select
    not exists (select 1 from plaid_removals) and not exists (select 1 from link_exchanges where state in ('started', 'exchanged'))
    and not exists (select 1 from item_products p join items i on i.id = p.item_id where p.dirty_seq > p.synced_seq
      and p.status <> 'absent' and i.status in ('healthy', 'initializing')) as idle`)
  return row?.['idle'] === 't'
}
