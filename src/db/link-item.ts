// The end of an exchange: a new item, one that takes the place of an earlier one, or none, for it is here already. Each is
// one transaction with the exchange's own end, so that a crash leaves no half-made item and no token without an owner.
import { type SQL, sql } from 'drizzle-orm'
import { type AccountFacts, accountsToMatch, isSameAccount, writeAccounts } from './accounts.ts'
import { batch, type JobsDatabase, rows, sqlStateOf, type Statement } from './client.ts'
import type { Exchange } from './link-exchanges.ts'
import { isResting, lost } from './sync-work.ts'

/** An account as Link's metadata or Plaid names it, to find it again. */
export interface AccountName {
  readonly persistentAccountId: string | null
  readonly name: string | null
  readonly mask: string | null
  readonly subtype: string | null
}

/** As many refusals as it takes until a product is asked for once a week (src/sync/failure.ts). */
const longestRestRefusals = 3

export interface Kin {
  /** The very item of Plaid's is here: Plaid gave it another token. */
  readonly same: { readonly id: string; readonly isOwn: boolean } | null
  /** An item that lives and has one of the accounts. */
  readonly twin: string | null
  /** An item that had one of them and is removed or lost: the new link goes on with it. */
  readonly ancestor: { readonly id: string; readonly linkEpoch: number } | null
}

const kinOf = (userId: string, institutionId: string | null, accounts: readonly AccountName[], which: SQL): SQL =>
  sql`select i.id, i.link_epoch, count(*) as matched, i.created_at from items i join accounts a on a.item_id = i.id
    join ${accountsToMatch(accounts, 't')} on ${isSameAccount('a', 't')}
    where i.user_id = ${userId} and i.institution_id = ${institutionId} and ${which} group by i.id`
const isTwin = sql`i.status not in (${lost}) and not a.closed and a.revoked_at is null`
const isAncestor = sql`i.status in (${lost})`

/** The user's items at that institution with one of those accounts; none where the institution is not known. */
export async function findKin(
  jobs: JobsDatabase,
  userId: string,
  plaidItemId: string | null,
  institutionId: string | null,
  accounts: readonly AccountName[],
): Promise<Kin> {
  const nearest = sql`order by matched desc, created_at desc limit 1`
  const [same, twins, ancestors] = await batch(jobs, [
    rows<{ id: string; is_own: boolean }>(
      jobs,
      sql`select id, user_id = ${userId} as is_own from items where plaid_item_id = ${plaidItemId}`,
    ),
    rows<{ id: string }>(jobs, sql`${kinOf(userId, institutionId, accounts, isTwin)} ${nearest}`),
    rows<{ id: string; link_epoch: number }>(
      jobs,
      sql`${kinOf(userId, institutionId, accounts, isAncestor)} ${nearest}`,
    ),
  ])
  const [found, ancestor] = [same.rows[0], ancestors.rows[0]]
  return {
    same: found === undefined ? null : { id: found.id, isOwn: found.is_own },
    twin: twins.rows[0]?.id ?? null,
    ancestor: ancestor === undefined ? null : { id: ancestor.id, linkEpoch: ancestor.link_epoch },
  }
}

export interface LinkedItem {
  readonly institutionId: string | null
  readonly institutionName: string | null
  readonly consentExpiresAt: Date | null
  readonly products: readonly string[]
  readonly accounts: readonly AccountFacts[]
}

/** `moved`: what was found of the user's items is not so any more, look again · `ended`: somebody else ended the exchange */
export type StoreAnswer =
  | { readonly kind: 'stored'; readonly itemProductIds: readonly string[] }
  | { readonly kind: 'moved' | 'ended' }

const begin = (jobs: JobsDatabase, exchange: Exchange, itemId: string | null): Statement =>
  rows(jobs, sql`select app.begin_link(${exchange.id}, ${itemId})`)

/** Nobody has linked the same accounts since the look; the user's row is locked by now. */
function refuseTwin(jobs: JobsDatabase, exchange: Exchange, item: LinkedItem): Statement {
  const twin =
    exchange.allowDuplicate || item.institutionId === null
      ? sql`false`
      : sql`exists (${kinOf(exchange.userId, item.institutionId, item.accounts, isTwin)})`
  return rows(jobs, sql`select app.refuse(${twin}, 'WN006')`)
}

function end(
  jobs: JobsDatabase,
  exchange: Exchange,
  state: 'linked' | 'duplicate' | 'given_back',
  itemId: string | null,
) {
  return rows(
    jobs,
    sql`update link_exchanges set state = ${state}, item_id = ${itemId}, access_token_sealed = null, updated_at = now()
      where id = ${exchange.id}`,
  )
}

async function stored(
  jobs: JobsDatabase,
  itemId: string,
  statements: readonly [Statement, ...Statement[]],
): Promise<StoreAnswer> {
  const products = rows(
    jobs,
    sql`select id from item_products p where item_id = ${itemId} and dirty_seq > synced_seq and not ${isResting('p')}`,
  )
  try {
    const answers: readonly { rows: readonly Record<string, unknown>[] }[] = await batch(jobs, [
      ...statements,
      products,
    ])
    const found = answers.at(-1)?.rows ?? []
    return { kind: 'stored', itemProductIds: found.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])) }
  } catch (error) {
    const state = sqlStateOf(error)
    if (state === 'WN005') return { kind: 'ended' }
    if (state === 'WN006') return { kind: 'moved' }
    throw error
  }
}

const time = (value: Date | null) => sql`${value?.toISOString() ?? null}::timestamptz(3)`
const ownerOf = (exchange: Exchange, itemId: string, linkEpoch: number) => ({
  itemId,
  userId: exchange.userId,
  linkEpoch,
})

/** Stores a new item, all of its products dirty, under the exchange's own id. */
export async function storeNewItem(jobs: JobsDatabase, exchange: Exchange, item: LinkedItem): Promise<StoreAnswer> {
  const { id, userId } = exchange
  return await stored(jobs, id, [
    begin(jobs, exchange, null),
    refuseTwin(jobs, exchange, item),
    rows(
      jobs,
      sql`insert into items (id, user_id, plaid_item_id, institution_id, institution_name, consent_expires_at, access_token_sealed)
        values (${id}, ${userId}, ${exchange.plaidItemId}, ${item.institutionId}, ${item.institutionName}, ${time(item.consentExpiresAt)}, ${exchange.sealedToken})`,
    ),
    rows(
      jobs,
      sql`insert into item_products (item_id, user_id, product)
        select ${id}::uuid, ${userId}::uuid, product from unnest(${sql.param(item.products)}::text[]) as p(product)`,
    ),
    ...writeAccounts(jobs, ownerOf(exchange, id, 0), item.accounts, false),
    end(jobs, exchange, 'linked', id),
  ])
}

/**
 * Gives an earlier item its new link: accounts that match go on under our ids, everything is read again from the start,
 * and what the earlier link brought is matched by the first run. The earlier item of Plaid's is ended, if it was not.
 */
export async function storeRelink(
  jobs: JobsDatabase,
  exchange: Exchange,
  item: LinkedItem,
  ancestor: { readonly id: string; readonly linkEpoch: number; readonly sealedToken: string },
): Promise<StoreAnswer> {
  const { id } = ancestor
  const owner = ownerOf(exchange, id, ancestor.linkEpoch + 1)
  return await stored(jobs, id, [
    begin(jobs, exchange, id),
    refuseTwin(jobs, exchange, item),
    rows(
      jobs,
      sql`select app.refuse(not exists (select 1 from items where id = ${id} and user_id = ${exchange.userId}
        and link_epoch = ${ancestor.linkEpoch} and status in (${lost})), 'WN006')`,
    ),
    rows(
      jobs,
      sql`insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        select user_id, plaid_item_id, id, access_token_sealed, 'replaced' from items
        where id = ${id} and status in ('relink_required', 'revoked') on conflict (plaid_item_id) do nothing`,
    ),
    rows(jobs, sql`select app.renumber_item(id) from items where id = ${id} and removed_at is not null`),
    rows(
      jobs,
      sql`update items set plaid_item_id = ${exchange.plaidItemId}, access_token_sealed = ${ancestor.sealedToken},
          institution_name = coalesce(${item.institutionName}, institution_name), status = 'initializing', status_reason = null,
          new_accounts_available = false, consent_expires_at = ${time(item.consentExpiresAt)}, disconnect_at = null,
          transactions_updated_at = null, investments_updated_at = null, removed_at = null, purge_at = null,
          link_epoch = link_epoch + 1, rotation_started_at = null, lost_at = null, capabilities = null, updated_at = now()
        where id = ${id}`,
    ),
    rows(
      jobs,
      sql`update item_products p set cursor = null, dirty_seq = dirty_seq + 1, lease_owner = null, lease_expires_at = null,
          attempts = 0, last_error = null, history_status = null, status = case when offered then 'pending' else 'absent' end,
          refusals = case when offered then 0 else ${longestRestRefusals} end,
          next_attempt_at = now() + case when offered then interval '0' else interval '7 days' end
        from (select id, product = any(${sql.param(item.products)}::text[]) as offered from item_products where item_id = ${id}) o
        where o.id = p.id`,
    ),
    rows(
      jobs,
      sql`insert into item_products (item_id, user_id, product)
        select ${id}::uuid, ${exchange.userId}::uuid, product from unnest(${sql.param(item.products)}::text[]) as p(product)
        on conflict (item_id, product) do nothing`,
    ),
    ...writeAccounts(jobs, owner, item.accounts, true),
    end(jobs, exchange, 'linked', id),
  ])
}

/** Ends an exchange whose item is here already, null as another user's: nothing is ended at Plaid, for that would be the one that lives. */
export async function storeSameItem(
  jobs: JobsDatabase,
  exchange: Exchange,
  itemId: string | null,
): Promise<StoreAnswer> {
  const state = itemId === null ? 'given_back' : 'duplicate'
  return await stored(jobs, exchange.id, [begin(jobs, exchange, null), end(jobs, exchange, state, itemId)])
}

/** Ends an exchange without an item: what Plaid made is to be ended there. `twin` is the item that it duplicates. */
export async function storeRefusal(jobs: JobsDatabase, exchange: Exchange, twin: string | null): Promise<StoreAnswer> {
  return await stored(jobs, exchange.id, [
    begin(jobs, exchange, null),
    rows(
      jobs,
      sql`insert into plaid_removals (user_id, plaid_item_id, item_id, access_token_sealed, reason)
        values (${exchange.userId}, ${exchange.plaidItemId}, ${exchange.id}, ${exchange.sealedToken}, ${twin === null ? 'not_stored' : 'duplicate'})
        on conflict (plaid_item_id) do nothing`,
    ),
    end(jobs, exchange, twin === null ? 'given_back' : 'duplicate', twin),
  ])
}
