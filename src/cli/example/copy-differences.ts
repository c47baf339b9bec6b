// Compares a copy with the lists of the API, row by row.
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import type { Change, Client } from '@wealthnavigator/client'

const withHidden = { params: { query: { include_hidden: true, limit: 500 } } } as const

/** Each kind of the feed, and the list that has the same rows. */
const lists = {
  item: (user) => user.rows('/api/v1/plaid/items'),
  account: (user) => user.rows('/api/v1/accounts', withHidden),
  transaction: (user) => user.rows('/api/v1/transactions', withHidden),
  holding: (user) => user.rows('/api/v1/holdings', withHidden),
  investment_transaction: (user) => user.rows('/api/v1/investments/transactions', withHidden),
  liability: (user) => user.rows('/api/v1/liabilities', withHidden),
  recurring_stream: (user) => user.rows('/api/v1/transactions/recurring', withHidden),
} as const satisfies Record<Change['kind'], (user: Client) => AsyncIterable<{ readonly id: string }>>

/** Values that can change without listing the row again (docs/feed.md). */
const unlisted: Readonly<Record<string, readonly string[]>> = {
  item: ['last_synced_at', 'last_successful_update'],
  account: ['as_of'],
  investment_transaction: ['close_price', 'close_price_as_of'],
}

const comparable = (kind: string, row: unknown): unknown =>
  JSON.parse(JSON.stringify(row, (key, value: unknown) => (unlisted[kind]?.includes(key) ? undefined : value)))

/** The copied rows, by kind and id. */
function readCopy(file: string): Map<string, unknown> {
  const db = new DatabaseSync(file, { readOnly: true })
  const rows = new Map<string, unknown>()
  for (const { kind, id, row } of db.prepare('select kind, id, row from rows').all()) {
    const name = String(kind)
    rows.set(`${name} ${String(id)}`, comparable(name, JSON.parse(String(row))[name]))
  }
  db.close()
  return rows
}

/** How many rows the lists have, and which differ from the copy, lack there, or are only there. */
export async function compareCopy(user: Client, file: string): Promise<{ rows: number; different: string[] }> {
  const copied = readCopy(file)
  const different: string[] = []
  let rows = 0
  for (const [kind, list] of Object.entries(lists))
    for await (const row of list(user)) {
      const name = `${kind} ${row.id}`
      rows += 1
      if (!isDeepStrictEqual(copied.get(name), comparable(kind, row))) different.push(name)
      copied.delete(name)
    }
  return { rows, different: [...different, ...copied.keys()] }
}
