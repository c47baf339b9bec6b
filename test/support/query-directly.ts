// Runs one statement over PostgreSQL's own protocol, on a new connection.
import { Client } from 'pg'

export async function queryDirectly(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
