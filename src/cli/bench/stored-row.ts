// A transaction as the values of a row, for the ways of storing it that the real one is compared with: COPY, and a
// statement a row.
import { type Client, Query } from 'pg'
import type { TransactionFacts } from '../../db/records/transactions-merge.ts'
import { accountsOf, type HeldItem } from './bank-rows.ts'

const columns = [
  'user_id',
  'item_id',
  'account_id',
  'plaid_transaction_id',
  'pending_transaction_id',
  'date',
  'authorized_date',
  'amount',
  'iso_currency_code',
  'unofficial_currency_code',
  'name',
  'merchant_name',
  'merchant_logo_url',
  'merchant_website',
  'category_primary',
  'category_detailed',
  'category_confidence',
  'category_version',
  'pending',
  'payment_channel',
  'change_seq',
]

function valuesOf(
  item: HeldItem,
  accounts: ReadonlyMap<string, string>,
  facts: TransactionFacts,
  seq: number,
): (string | null)[] {
  return [
    item.userId,
    item.itemId,
    accounts.get(facts.plaidAccountId) ?? null,
    facts.plaidTransactionId,
    facts.pendingTransactionId,
    facts.date,
    facts.authorizedDate,
    facts.amount,
    facts.isoCurrencyCode,
    facts.unofficialCurrencyCode,
    facts.name,
    facts.merchantName,
    facts.merchantLogoUrl,
    facts.merchantWebsite,
    facts.categoryPrimary,
    facts.categoryDetailed,
    facts.categoryConfidence,
    facts.categoryVersion,
    String(facts.pending),
    facts.paymentChannel,
    String(seq),
  ]
}

/** The rows' values in the order of the table's columns; accounts by our ids. */
export function storedRows(item: HeldItem, rows: readonly TransactionFacts[]): (string | null)[][] {
  const known = accountsOf().map(({ plaidAccountId }, index) => [plaidAccountId, item.accountIds[index] ?? ''] as const)
  const accounts = new Map(known)
  return rows.map((facts, index) => valuesOf(item, accounts, facts, index + 1))
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const escaped = (value: string | null): string =>
  value === null ? '\\N' : value.replaceAll(/[\\\t\n\r]/g, (character) => escapes[character] ?? character)

/** COPY's text format. */
export const copyText = (rows: readonly (readonly (string | null)[])[]): Buffer =>
  Buffer.from(rows.map((row) => `${row.map(escaped).join('\t')}\n`).join(''))

interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

/** `COPY transactions FROM STDIN`, in a transaction of its own. */
export async function copyIn(client: Client, text: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const query = new Query({ text: `copy transactions (${columns.join(', ')}) from stdin` })
    // The driver knows the messages and leaves to its caller what they hold.
    Object.assign(query, {
      handleCopyInResponse(connection: CopyConnection) {
        connection.sendCopyFromChunk(text)
        connection.endCopyFrom()
      },
    })
    query.on('error', reject)
    query.on('end', () => resolve())
    client.query(query)
  })
}

const upsert = `insert into transactions (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})
  on conflict (item_id, plaid_transaction_id) do update set ${columns
    .slice(2)
    .map((name) => `${name} = excluded.${name}`)
    .join(', ')}`

/** One statement, one transaction and one round trip a row. */
export async function upsertOneByOne(client: Client, rows: readonly (string | null)[][]): Promise<void> {
  for (const row of rows) await client.query(upsert, row)
}
