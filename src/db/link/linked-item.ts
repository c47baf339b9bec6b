// Ends an exchange: with a new item, with one that replaces an earlier item, or without one, because it is stored
// already. Each is one transaction with the exchange's end, so that a crash leaves no incomplete item and no token
// without an owner.
import { type AuditRow, recordAudit } from '../audit/record.ts'
import { sql } from 'drizzle-orm'
import { type AccountDecisions, type PlaidAccountRow, writeAccounts } from '../records/accounts-merge.ts'
import { batchAfter, type JobsDatabase } from '../core/client.ts'
import { timestamptz } from '../core/columns.ts'
import { refuseWhen, sqlState, sqlStateOf } from '../core/sql-state.ts'
import type { ItemLook } from '../items/item-update.ts'
import { type Item, itemIn, selectItem } from '../items/items.ts'
import { type MovedToken, refuseReplacedToken } from '../items/moved-token.ts'
import { requireAccountsVersion } from '../records/known-accounts.ts'
import { type LinkCaps, refuseOverCap } from './caps.ts'
import type { Exchange } from './exchanges.ts'
import { isResting, lost } from '../sync/work.ts'
import { needsMessage, claimedUntil } from '../sync/message-claims.ts'
import { lockPlaidItem } from '../operations/webhook-events.ts'
import { command, idRow, query, type Statement } from '../core/statement.ts'

/** How many refusals it takes until a product is requested only once a week (src/sync/failure.ts). */
const longestRestRefusals = 3

export interface LinkedItem {
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly consentExpiresAt: Date | null
  readonly look: ItemLook
  readonly products: readonly string[]
  readonly accounts: readonly PlaidAccountRow[]
  /** Whether all of its accounts could be read. */
  readonly isWhole: boolean
}

/**
 * `over_cap`: the user has reached the limit of items · `moved`: the user's items changed since they were read, read
 * them again · `ended`: another process ended the exchange
 */
export type StoreResult =
  | { readonly kind: 'stored'; readonly itemProductIds: readonly string[]; readonly item: Item | null }
  | { readonly kind: 'moved' | 'ended' | 'over_cap' }

const begin = (exchange: Exchange, itemId: string | null): Statement =>
  command(sql`select app.begin_link(${exchange.id}, ${itemId})`)

function end(exchange: Exchange, state: 'linked' | 'duplicate' | 'given_back', itemId: string | null) {
  return command(sql`update link_exchanges set state = ${state}, item_id = ${itemId}, access_token_sealed = null,
    updated_at = now()
      where id = ${exchange.id}`)
}

/** The meaning of a rejected batch, by its SQLSTATE. */
const outcomes: ReadonlyMap<string | null, Exclude<StoreResult['kind'], 'stored'>> = new Map([
  [sqlState.exchangeEnded, 'ended'],
  [sqlState.accountsChanged, 'moved'],
  [sqlState.tokenReplaced, 'moved'],
  [sqlState.itemCapReached, 'over_cap'],
])

/** Runs the statements, reads the resulting item, and claims messages for its dirty products. */
async function stored(
  jobs: JobsDatabase,
  { userId }: Exchange,
  itemId: string,
  statements: readonly Statement[],
): Promise<StoreResult> {
  try {
    const { dirty, ...found } = await batchAfter(jobs, statements, {
      // Transactions come first, because users wait for them most and a queue can process one message after the other.
      dirty: query(
        idRow,
        sql`with woken as (
            update item_products p set woken_until = ${claimedUntil} where item_id = ${itemId}
              and dirty_seq > synced_seq
              and not ${isResting('p')} and ${needsMessage} returning id, product)
          select id from woken order by product <> 'transactions', product`,
      ),
      ...selectItem(jobs, itemId, userId),
    })
    return { kind: 'stored', itemProductIds: dirty, item: itemIn(found) }
  } catch (error) {
    const kind = outcomes.get(sqlStateOf(error))
    if (kind === undefined) throw error
    return { kind }
  }
}

/** Before when Plaid was asked for the exchange's access token. */
const askedAt = ({ id }: Exchange) => sql`(select created_at from link_exchanges where id = ${id})`
const ownerOf = (exchange: Exchange, itemId: string, linkEpoch: number) => ({
  itemId,
  userId: exchange.userId,
  linkEpoch,
})

/**
 * Revokes the accounts whose revocation was reported after Plaid listed them and before the item was stored here.
 * Plaid does not send the webhook again. Run it after `writeAccounts`, in a transaction that began with
 * `lockPlaidItem`.
 */
const applyEarlyRevocations = ({ plaidItemId }: Exchange, itemId: string): Statement =>
  command(sql`with revoked as (
        update accounts set closed = true, revoked_at = now(), updated_at = now()
        where item_id = ${itemId} and plaid_account_id = any(array(
          select payload->>'account_id' from webhook_events
          where plaid_item_id = ${plaidItemId} and webhook_type = 'ITEM' and webhook_code = 'USER_ACCOUNT_REVOKED'))
        returning id)
      select app.hide_account(id) from revoked`)

/**
 * Stores a new item under the exchange's id, with all of its products dirty. The token is sealed for the item. If
 * accounts of other items move to it, their rows count as rows of an earlier link.
 */
export async function storeNewItem(
  jobs: JobsDatabase,
  exchange: Exchange,
  item: LinkedItem & { readonly sealedToken: string },
  decisions: AccountDecisions,
  caps: LinkCaps,
  audit: readonly AuditRow[],
): Promise<StoreResult> {
  const { id, userId } = exchange
  const linkEpoch = decisions.moved.length === 0 ? 0 : 1
  return await stored(jobs, exchange, id, [
    lockPlaidItem(exchange.plaidItemId),
    begin(exchange, null),
    ...audit.map((row) => recordAudit(row)),
    refuseOverCap(userId, caps),
    requireAccountsVersion(userId, decisions.version),
    command(sql`insert into items (id, user_id, plaid_item_id, institution_id, institution_name, consent_expires_at,
      access_token_sealed, access_token_at,
          transactions_updated_at, investments_updated_at, capabilities, link_epoch)
        values (${id}, ${userId}, ${exchange.plaidItemId}, ${item.institutionId}, ${item.institutionName},
          ${timestamptz(item.consentExpiresAt)},
          ${item.sealedToken}, ${askedAt(exchange)}, ${timestamptz(item.look.transactionsUpdatedAt)},
          ${timestamptz(item.look.investmentsUpdatedAt)},
            ${item.look.capabilities}, ${linkEpoch})`),
    command(sql`insert into item_products (item_id, user_id, product)
        select ${id}::uuid, ${userId}::uuid, product from unnest(${sql.param(item.products)}::text[]) as p(product)`),
    ...writeAccounts(ownerOf(exchange, id, linkEpoch), item.accounts, true, decisions),
    applyEarlyRevocations(exchange, id),
    end(exchange, 'linked', id),
  ])
}

/** The item that gets the new link. */
interface Relinked {
  readonly id: string
  readonly linkEpoch: number
  /** The new token, sealed for this item. */
  readonly sealedToken: string
  /** The earlier token, sealed for the queue of removals. */
  readonly earlierToken: MovedToken | null
}

/**
 * Gives an earlier item its new link: matching accounts keep their ids, everything is read again from the start, and
 * the first run matches the rows of the earlier link. Queues the removal of Plaid's earlier item.
 */
export async function storeRelink(
  jobs: JobsDatabase,
  exchange: Exchange,
  item: LinkedItem,
  decisions: AccountDecisions,
  predecessor: Relinked,
  caps: LinkCaps,
  audit: readonly AuditRow[],
): Promise<StoreResult> {
  const { id } = predecessor
  const owner = ownerOf(exchange, id, predecessor.linkEpoch + 1)
  const isReplaced = sql`id = ${id} and status in ('relink_required', 'revoked')`
  return await stored(jobs, exchange, id, [
    lockPlaidItem(exchange.plaidItemId),
    begin(exchange, id),
    ...audit.map((row) => recordAudit(row)),
    // A removed item that returns counts as one more; a lost one does not.
    refuseOverCap(exchange.userId, caps, sql`exists (select 1 from items where id = ${id} and removed_at is null)`),
    requireAccountsVersion(exchange.userId, decisions.version),
    command(
      sql`select ${refuseWhen(
        sql`not exists (select 1 from items where id = ${id} and user_id = ${exchange.userId}
          and link_epoch = ${predecessor.linkEpoch} and status in (${lost}))`,
        sqlState.accountsChanged,
      )}`,
    ),
    refuseReplacedToken(isReplaced, predecessor.earlierToken),
    command(sql`insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        select user_id, plaid_item_id, id, ${predecessor.earlierToken?.to ?? null}, 'replaced' from items
        where ${isReplaced} on conflict (plaid_item_id) do nothing`),
    command(sql`select app.renumber_item(id) from items where id = ${id} and removed_at is not null`),
    command(sql`update items set plaid_item_id = ${exchange.plaidItemId},
      access_token_sealed = ${predecessor.sealedToken}, access_token_at = ${askedAt(exchange)},
          institution_name = coalesce(${item.institutionName}, institution_name), status = 'initializing',
            status_reason = null,
          new_accounts_available = false, disconnect_at = null,
          consent_expires_at = ${timestamptz(item.consentExpiresAt)},
          transactions_updated_at = ${timestamptz(item.look.transactionsUpdatedAt)},
            investments_updated_at = ${timestamptz(item.look.investmentsUpdatedAt)},
          capabilities = ${item.look.capabilities}, removed_at = null, purge_at = null, link_epoch = link_epoch + 1,
          rotation_started_at = null, rotation_owner = null, lost_at = null, updated_at = now()
        where id = ${id}`),
    command(sql`update item_products p set cursor = null, dirty_seq = dirty_seq + 1, lease_owner = null,
      lease_expires_at = null,
          attempts = 0, last_error = null, history_status = null, status = case when offered then 'pending'
            else 'absent' end,
          refusals = case when offered then 0 else ${longestRestRefusals} end,
          next_attempt_at = now() + case when offered then interval '0' else interval '7 days' end
        from (select id, product = any(${sql.param(item.products)}::text[]) as offered from item_products
          where item_id = ${id}) o
        where o.id = p.id`),
    command(sql`insert into item_products (item_id, user_id, product)
        select ${id}::uuid, ${exchange.userId}::uuid, product from unnest(${sql.param(item.products)}::text[]) as
          p(product)
        on conflict (item_id, product) do nothing`),
    ...writeAccounts(owner, item.accounts, true, decisions, item.isWhole),
    applyEarlyRevocations(exchange, id),
    end(exchange, 'linked', id),
  ])
}

/**
 * Ends an exchange whose item is stored already; `itemId` is null if it belongs to another user. Removes nothing at
 * Plaid, because that would remove the stored item.
 */
export async function storeSameItem(
  jobs: JobsDatabase,
  exchange: Exchange,
  itemId: string | null,
  audit: AuditRow,
): Promise<StoreResult> {
  const state = itemId === null ? 'given_back' : 'duplicate'
  return await stored(jobs, exchange, exchange.id, [
    begin(exchange, null),
    recordAudit(audit),
    end(exchange, state, itemId),
  ])
}

/**
 * Ends an exchange without an item and queues the removal of Plaid's. `duplicateOf` is the existing item, `sealedToken`
 * the token as it is sealed for the queue.
 */
export async function storeRefusal(
  jobs: JobsDatabase,
  exchange: Exchange,
  { duplicateOf, sealedToken }: { readonly duplicateOf: string | null; readonly sealedToken: string },
  audit: AuditRow,
): Promise<StoreResult> {
  return await stored(jobs, exchange, exchange.id, [
    begin(exchange, null),
    recordAudit(audit),
    command(sql`insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        values (${exchange.userId}, ${exchange.plaidItemId}, ${exchange.id}, ${sealedToken},
          ${duplicateOf === null ? 'not_stored' : 'duplicate'})
        on conflict (plaid_item_id) do nothing`),
    end(exchange, duplicateOf === null ? 'given_back' : 'duplicate', duplicateOf),
  ])
}
