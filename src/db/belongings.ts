// What a user has, as a new link is compared with it.
import { sql } from 'drizzle-orm'
import { batch, type JobsDatabase, rows } from './client.ts'
import { type KnownAccount, knownAccountsIn, selectAccountsVersion, selectKnownAccounts } from './known-accounts.ts'

export interface Belongings {
  /** The very item of Plaid's is here: Plaid gave it another token. */
  readonly same: { readonly id: string; readonly isOwn: boolean } | null
  readonly accounts: readonly KnownAccount[]
  /** Changes with any of the accounts. */
  readonly version: string
}

export async function readBelongings(jobs: JobsDatabase, userId: string, plaidItemId: string): Promise<Belongings> {
  const [same, accounts, version] = await batch(jobs, [
    rows<{ id: string; is_own: boolean }>(
      jobs,
      sql`select id, user_id = ${userId} as is_own from items where plaid_item_id = ${plaidItemId}`,
    ),
    selectKnownAccounts(jobs, sql`${userId}::uuid`),
    selectAccountsVersion(jobs, userId),
  ])
  const found = same.rows[0]
  return {
    same: found === undefined ? null : { id: found.id, isOwn: found.is_own },
    accounts: knownAccountsIn(accounts),
    version: version.rows[0]?.version ?? '',
  }
}

/** The accounts of a sync's user, and their version. */
export async function readAccounts(
  jobs: JobsDatabase,
  userId: string,
): Promise<{ readonly accounts: readonly KnownAccount[]; readonly version: string }> {
  const [accounts, version] = await batch(jobs, [
    selectKnownAccounts(jobs, sql`${userId}::uuid`),
    selectAccountsVersion(jobs, userId),
  ])
  return { accounts: knownAccountsIn(accounts), version: version.rows[0]?.version ?? '' }
}
