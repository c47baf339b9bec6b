// A transaction as row values, for the alternatives with which the real commit is compared: COPY, and one statement for
// each row.
import { type Client, Query } from 'pg'
import type { PlaidTransactionRow } from '../../db/records/transactions-merge.ts'
import { accountsOf, bankRows, type HeldItem } from './bank-rows.ts'

const own = ['user_id', 'item_id', 'account_id', 'change_seq'] as const
const [sample] = bankRows(1)
/** The fields of a row with a column of the same name. */
const stored = Object.keys(sample ?? {}).filter((name) => name !== 'plaid_account_id')
const columns = [...own, ...stored]

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'boolean' ? String(value) : null

/** The rows' values in the order of `columns`, with the accounts' ids in this database. */
export function storedRows(item: HeldItem, rows: readonly PlaidTransactionRow[]): (string | null)[][] {
  const accounts = new Map(accountsOf().map((row, index) => [row.plaid_account_id, item.accountIds[index] ?? '']))
  return rows.map((row, index) => {
    const values = new Map<string, unknown>(Object.entries(row))
    const accountId = accounts.get(row.plaid_account_id) ?? null
    return [item.userId, item.itemId, accountId, String(index + 1), ...stored.map((name) => textOf(values.get(name)))]
  })
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

/** `COPY transactions FROM STDIN`, in a separate transaction. */
export async function copyIn(client: Client, text: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const query = new Query({ text: `copy transactions (${columns.join(', ')}) from stdin` })
    // The driver parses the COPY messages; their handlers are up to its caller.
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

/** One statement, transaction and round trip for each row. */
export async function upsertOneByOne(client: Client, rows: readonly (string | null)[][]): Promise<void> {
  for (const row of rows) await client.query(upsert, row)
}
