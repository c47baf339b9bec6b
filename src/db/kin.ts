// The user's items that share an account with the bank being linked. A live one makes the new item a duplicate; a removed or
// lost one gets the new link.
import { type SQL, sql } from 'drizzle-orm'
import { accountsToMatch, isSameAccount } from './accounts.ts'
import { batch, type JobsDatabase, rows } from './client.ts'
import { lost } from './sync-work.ts'

/** An account as Link's metadata or Plaid names it, to find it again. */
export interface AccountName {
  readonly persistentAccountId: string | null
  readonly name: string | null
  readonly mask: string | null
  readonly subtype: string | null
}

export interface BankAccounts {
  readonly institutionId: string | null
  readonly accounts: readonly AccountName[]
}

export interface Kin {
  /** The very item of Plaid's is here: Plaid gave it another token. */
  readonly same: { readonly id: string; readonly isOwn: boolean } | null
  /** An item that lives and has one of the accounts. */
  readonly twin: string | null
  /** An item that had one of them and is removed or lost: the new link goes on with it. */
  readonly ancestor: { readonly id: string; readonly linkEpoch: number } | null
}

const kinOf = (userId: SQL, { institutionId, accounts }: BankAccounts, which: SQL): SQL =>
  sql`select i.id, i.link_epoch, count(*) as matched, i.created_at from items i join accounts a on a.item_id = i.id
    join ${accountsToMatch(accounts, 't')} on ${isSameAccount('a', 't')}
    where i.user_id = ${userId} and i.institution_id = ${institutionId} and ${which} group by i.id`
const isTwin = sql`i.status not in (${lost}) and not a.closed and a.revoked_at is null`
const isAncestor = sql`i.status in (${lost})`
const nearest = sql`order by matched desc, created_at desc limit 1`

/** The item that lives and has most of the accounts, as a query for its `id`; none where the institution is not known. */
export const twinsOf = (userId: SQL, bank: BankAccounts): SQL =>
  sql`select id from (${kinOf(userId, bank, isTwin)} ${nearest}) twin`

/** The user's items at that institution with one of those accounts; none where the institution is not known. */
export async function findKin(
  jobs: JobsDatabase,
  userId: string,
  plaidItemId: string,
  bank: BankAccounts,
): Promise<Kin> {
  const owner = sql`${userId}::uuid`
  const [same, twins, ancestors] = await batch(jobs, [
    rows<{ id: string; is_own: boolean }>(
      jobs,
      sql`select id, user_id = ${owner} as is_own from items where plaid_item_id = ${plaidItemId}`,
    ),
    rows<{ id: string }>(jobs, twinsOf(owner, bank)),
    rows<{ id: string; link_epoch: number }>(jobs, sql`${kinOf(owner, bank, isAncestor)} ${nearest}`),
  ])
  const [found, ancestor] = [same.rows[0], ancestors.rows[0]]
  return {
    same: found === undefined ? null : { id: found.id, isOwn: found.is_own },
    twin: twins.rows[0]?.id ?? null,
    ancestor: ancestor === undefined ? null : { id: ancestor.id, linkEpoch: ancestor.link_epoch },
  }
}
