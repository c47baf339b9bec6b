// The change feed: every transaction of a user once, at the number of its newest change. Numbers come from the user's
// counter row, which each writer locks until its commit. So they become visible in order, and none appears late.
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { transactions, transactionTombstones } from '../../../drizzle/tables/transactions.ts'
import { users } from '../../../drizzle/tables/users.ts'
import type { ApiDatabase } from '../core/client.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'
import { shownNamed, type Transaction, transactionColumns } from '../records/transactions.ts'

/** `transaction` is null if the bank removed it, its item is hidden, or it was purged. */
export interface Change {
  readonly seq: number
  readonly transactionId: string
  readonly transaction: Transaction | null
  /** Whether it was deleted because of its age. */
  readonly expired: boolean
}

export interface Changes {
  readonly changes: readonly Change[]
  readonly hasMore: boolean
  /** The number of the user's newest change. */
  readonly newest: number
  /** Removals before this number are no longer listed. */
  readonly completeFrom: number
  /** With `hasMore` false, `changes` lists everything up to this number. */
  readonly readTo: number
}

/** Named, so that they can be selected from a subquery. */
export const rowColumns = {
  ...transactionColumns,
  amount: transactionColumns.amount.as('exact_amount'),
  currency: transactionColumns.currency.as('currency'),
  categoryRuleId: transactionColumns.categoryRuleId.as('category_rule_id'),
  hiddenRuleId: transactionColumns.hiddenRuleId.as('hidden_rule_id'),
}

/**
 * The first `limit` changes after the number `since`, in order. One statement reads both tables, because it sees one
 * snapshot: a second statement could see a higher number whose predecessors the first had missed.
 */
export async function listChanges(
  database: ApiDatabase,
  identity: Identity,
  since: number,
  limit: number,
): Promise<Changes> {
  const { connection } = database
  const changed = connection
    .select({ seq: transactions.changeSeq, id: transactions.id, expired: sql<boolean>`false`.as('expired') })
    .from(transactions)
    .where(and(eq(transactions.userId, me), gt(transactions.changeSeq, since)))
    .orderBy(asc(transactions.changeSeq))
    .limit(limit + 1)
  const purged = connection
    .select({
      seq: transactionTombstones.changeSeq,
      id: transactionTombstones.transactionId,
      expired: transactionTombstones.expired,
    })
    .from(transactionTombstones)
    .where(and(eq(transactionTombstones.userId, me), gt(transactionTombstones.changeSeq, since)))
    .orderBy(asc(transactionTombstones.changeSeq))
    .limit(limit + 1)
  const feed = unionAll(changed, purged).as('feed')
  const row = connection
    .select(rowColumns)
    .from(transactions)
    .where(and(eq(transactions.id, feed.id), eq(transactions.changeSeq, feed.seq), shownNamed))
    .limit(1)
    .as('row')
  const counter = connection
    .select({ newest: users.changeSeq, completeFrom: users.changesFrom })
    .from(users)
    .where(eq(users.id, me))
  const { before, found, after } = await pageAsUser(database, identity, {
    // The next statement sees every row with a number up to this one.
    before: counter,
    found: connection
      .select({
        seq: feed.seq,
        transactionId: feed.id,
        expired: feed.expired,
        transaction: { ...row._.selectedFields },
      })
      .from(feed)
      .leftJoinLateral(row, sql`true`)
      .orderBy(asc(feed.seq))
      .limit(limit + 1),
    // Read last, so that it covers rows that were deleted meanwhile.
    after: counter,
  })
  const { newest = 0, completeFrom = 0 } = after[0] ?? {}
  const readTo = before[0]?.completeFrom ?? 0
  return { changes: found.slice(0, limit), hasMore: found.length > limit, newest, completeFrom, readTo }
}
