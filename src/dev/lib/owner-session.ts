// What every session of the database's owner needs.
import type { Client } from 'pg'

/** Throws if the URL leads through a pooler, which gives each transaction another session. */
export function refusePooler(url: string): void {
  if (!/-pooler\./.test(URL.parse(url)?.hostname ?? '')) return
  throw new Error(
    "The URL goes through Neon's pooler, where session locks do not hold: take `-pooler` out of its host.",
  )
}

export async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (error) {
    // If the connection is lost, the server rolls back by itself. The first error is the one to report.
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}
