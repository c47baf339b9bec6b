// One connection of a command to the database, as the owner of its tables.
import { Client } from 'pg'
import { refusePooler } from '../../dev/lib/owner-session.ts'

/** Runs `work` on a connection that ends with it. `command` names the connection in `pg_stat_activity`. */
export async function withConnection<T>(
  url: string,
  command: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  refusePooler(url)
  const client = new Client({ connectionString: url, application_name: `wealthnavigator-edge ${command}` })
  // If the connection is lost, the next statement fails. Without a listener, the event would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** The same in one transaction: what fails changes nothing. */
export const inTransaction = <T>(url: string, command: string, work: (client: Client) => Promise<T>): Promise<T> =>
  withConnection(url, command, async (client) => {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  })
