// One session with the database, over the WebSocket of Neon's driver: for a transaction that lasts minutes. All other
// calls are single HTTPS requests (client.ts).
import { Client } from '@neondatabase/serverless'
import { AppError } from '../../errors.ts'

export interface Session {
  readonly query: (text: string, values?: readonly unknown[]) => Promise<{ readonly rows: readonly unknown[] }>
}

/** A local endpoint has no TLS, and passes on PostgreSQL's own way to authenticate. */
function useLocal({ neonConfig }: Client, endpoint: string): void {
  const { host } = new URL(endpoint)
  neonConfig.wsProxy = (server, port) => `${host}/v2?address=${server}:${port}`
  neonConfig.useSecureWebSocket = false
  neonConfig.pipelineConnect = false
  neonConfig.pipelineTLS = false
  neonConfig.forceDisablePgSSL = true
}

/**
 * Runs `work` in a session that ends with it.
 * @param endpoint URL of a local Neon endpoint; null for Neon itself
 */
export async function withSession<T>(
  url: string,
  endpoint: string | null,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const client = new Client({ connectionString: url })
  if (endpoint !== null) useLocal(client, endpoint)
  // If the connection is lost, the next statement fails. Without a listener, the event would end the isolate.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    // An event of the WebSocket, or PostgreSQL's refusal.
    const reason = error instanceof Error ? error.message : 'no connection to the database'
    throw new AppError('unavailable', 'The database did not answer.', { reason })
  }
  try {
    return await work({
      query: async (text, values) => await client.query(text, values === undefined ? undefined : [...values]),
    })
  } finally {
    await client.end()
  }
}
