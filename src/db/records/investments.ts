// Lists a user's holdings and investment transactions by keyset.
import { and, asc, desc, eq, gte, isNull, lte, type SQL, sql } from 'drizzle-orm'
import { holdings, investmentTransactions, securities } from '../../../drizzle/tables/investments.ts'
import type { ApiDatabase } from '../core/client.ts'
import {
  currencyOf,
  exact,
  exactOrNull,
  notRemovedNamed,
  ofCurrentProduct,
  ofListedAccount,
  ofSharedAccount,
  ofShownItem,
  type RowOf,
} from '../core/columns.ts'
import { after, type Key, type Page, toPage } from '../core/page.ts'
import { type Identity, me, pageAsUser } from '../core/scope.ts'

const securityColumns = {
  id: securities.id,
  plaidSecurityId: securities.plaidSecurityId,
  name: securities.name,
  tickerSymbol: securities.tickerSymbol,
  type: securities.type,
  isCashEquivalent: securities.isCashEquivalent,
  closePrice: exactOrNull(securities.closePrice),
  closePriceAsOf: securities.closePriceAsOf,
}

export type Security = RowOf<typeof securityColumns>

export interface Holding {
  readonly id: string
  readonly accountId: string
  readonly security: Security
  readonly quantity: string
  readonly institutionPrice: string | null
  readonly institutionPriceAsOf: string | null
  readonly institutionValue: string
  readonly costBasis: string | null
  readonly currency: string | null
}

const selectHoldings = ({ connection }: ApiDatabase, matching: SQL | undefined) =>
  connection
    .select({
      id: holdings.id,
      accountId: holdings.accountId,
      security: securityColumns,
      quantity: exact(holdings.quantity),
      institutionPrice: exactOrNull(holdings.institutionPrice),
      institutionPriceAsOf: holdings.institutionPriceAsOf,
      institutionValue: exact(holdings.institutionValue),
      costBasis: exactOrNull(holdings.costBasis),
      currency: currencyOf(holdings),
    })
    .from(holdings)
    .innerJoin(securities, eq(securities.id, holdings.securityId))
    .where(
      and(
        eq(holdings.userId, me),
        ofShownItem(holdings.itemId),
        ofSharedAccount(holdings.accountId),
        ofCurrentProduct(holdings.itemId, 'holdings'),
        matching,
      ),
    )
    .$dynamic()

export const holdingRows = {
  page: (
    database: ApiDatabase,
    limit: number,
    from: Key | null,
    { accountId = null, withHidden = false }: { accountId?: string | null; withHidden?: boolean } = {},
  ) =>
    selectHoldings(
      database,
      and(
        accountId === null ? undefined : eq(holdings.accountId, accountId),
        accountId !== null || withHidden ? undefined : ofListedAccount(holdings.accountId),
        after(from, holdings.accountId, holdings.id, 'asc'),
      ),
    )
      .orderBy(asc(holdings.accountId), asc(holdings.id))
      .limit(limit + 1),
  named: (database: ApiDatabase, ids: SQL) => selectHoldings(database, sql`${holdings.id} = any(${ids})`),
  keyOf: ({ accountId, id }: Holding): Key => [accountId, id],
}

/**
 * A user's holdings, by account; without those of hidden accounts unless `withHidden` or `accountId` requests them. The
 * keyset is the account and the holding's id.
 */
export async function listHoldings(
  database: ApiDatabase,
  identity: Identity,
  accountId: string | null,
  limit: number,
  from: Key | null,
  withHidden = false,
): Promise<Page<Holding>> {
  const { found } = await pageAsUser(database, identity, {
    found: holdingRows.page(database, limit, from, { accountId, withHidden }),
  })
  return toPage(found, limit, holdingRows.keyOf)
}

export interface InvestmentTransaction {
  readonly id: string
  readonly plaidInvestmentTransactionId: string
  readonly accountId: string
  readonly security: Security | null
  readonly date: string
  readonly name: string
  readonly quantity: string
  readonly amount: string
  readonly price: string | null
  readonly fees: string | null
  readonly type: string
  readonly subtype: string
  readonly currency: string | null
}

export interface InvestmentTransactionFilters {
  readonly accountId?: string | undefined
  /** Days, inclusive. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly withHidden?: boolean | undefined
}

const table = investmentTransactions

const selectTransactions = ({ connection }: ApiDatabase, matching: SQL | undefined) =>
  connection
    .select({
      id: table.id,
      plaidInvestmentTransactionId: table.plaidInvestmentTransactionId,
      accountId: table.accountId,
      security: securityColumns,
      date: table.date,
      name: table.name,
      quantity: exact(table.quantity),
      amount: exact(table.amount),
      price: exactOrNull(table.price),
      fees: exactOrNull(table.fees),
      type: table.type,
      subtype: table.subtype,
      currency: currencyOf(table),
    })
    .from(table)
    .leftJoin(securities, eq(securities.id, table.securityId))
    .where(and(eq(table.userId, me), ofShownItem(table.itemId), ofSharedAccount(table.accountId), matching))
    .$dynamic()

export const investmentTransactionRows = {
  page: (
    database: ApiDatabase,
    limit: number,
    start: Key | null,
    { accountId, from, to, withHidden }: InvestmentTransactionFilters = {},
  ) =>
    selectTransactions(
      database,
      and(
        accountId === undefined ? isNull(table.removedAt) : notRemovedNamed(table.removedAt),
        accountId === undefined ? undefined : eq(table.accountId, accountId),
        accountId !== undefined || withHidden === true ? undefined : ofListedAccount(table.accountId),
        from === undefined ? undefined : gte(table.date, from),
        to === undefined ? undefined : lte(table.date, to),
        after(start, table.date, table.id, 'desc'),
      ),
    )
      .orderBy(desc(table.date), desc(table.id))
      .limit(limit + 1),
  named: (database: ApiDatabase, ids: SQL) =>
    selectTransactions(database, and(notRemovedNamed(table.removedAt), sql`${table.id} = any(${ids})`)),
  keyOf: ({ date, id }: InvestmentTransaction): Key => [date, id],
}

/** A user's investment transactions, newest first. */
export async function listInvestmentTransactions(
  database: ApiDatabase,
  identity: Identity,
  filters: InvestmentTransactionFilters,
  limit: number,
  from: Key | null,
): Promise<Page<InvestmentTransaction>> {
  const { found } = await pageAsUser(database, identity, {
    found: investmentTransactionRows.page(database, limit, from, filters),
  })
  return toPage(found, limit, investmentTransactionRows.keyOf)
}
