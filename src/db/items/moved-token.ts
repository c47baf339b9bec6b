// The token of an item on its way to another table. The Worker seals it for that table: no statement copies it.
import { type SQL, sql } from 'drizzle-orm'
import * as z from 'zod'
import { batch, type JobsDatabase } from '../core/client.ts'
import { refuseWhen, sqlState } from '../core/sql-state.ts'
import { command, query, type Statement } from '../core/statement.ts'

export interface MovedToken {
  /** As it lies in `items`. */
  readonly from: string
  /** As it is sealed for the other table. */
  readonly to: string
}

const tokenRow = z.object({ access_token_sealed: z.string() })

/** The sealed token of an item; null if there is no such item. */
export async function findItemToken(jobs: JobsDatabase, itemId: string): Promise<string | null> {
  const { found } = await batch(jobs, {
    found: query(tokenRow, sql`select access_token_sealed from items where id = ${itemId}`),
  })
  return found[0]?.access_token_sealed ?? null
}

/** Rolls the batch back where an item of the condition has another token than the one that was moved. */
export const refuseReplacedToken = (items: SQL, token: MovedToken | null): Statement =>
  command(
    sql`select ${refuseWhen(
      sql`exists (select 1 from items where ${items} and access_token_sealed is distinct from ${token?.from ?? null})`,
      sqlState.tokenReplaced,
    )}`,
  )
