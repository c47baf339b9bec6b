// The connections behind the endpoint: one small pool per login and database, closed when idle. A pool belongs to
// one password, so that a wrong one never rides on a connection that a right one opened.
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { Pool, type PoolClient } from 'pg'
import * as z from 'zod'
import type { Connection } from './request.ts'

const connectionsPerPool = 8
const idleMs = 5_000
const connectTimeoutMs = 10_000
const cancelRequestCode = 80_877_102

/** What leaves no trace of the last user of a connection, short of the plan cache. */
const reset =
  'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; DISCARD TEMP; DISCARD SEQUENCES; ' +
  'UNLISTEN *; SELECT pg_advisory_unlock_all()'

// node-postgres keeps the key of its session; its types do not say so.
const sessionKey = z.object({ processID: z.int(), secretKey: z.int() })

export interface Server {
  host: string
  port: number
}

export interface Pools {
  /** A connection of that login, or `full` where the server takes no more. */
  acquire(connection: Connection): Promise<PoolClient | 'full'>
  /** Gives a connection back, cleaned; one that cannot be cleaned is closed. */
  giveBack(client: PoolClient): Promise<void>
  /** Asks the server to stop what the connection is doing. Best effort, as in PostgreSQL's protocol. */
  cancel(client: PoolClient): void
  end(): Promise<void>
}

function poolKey({ user, password, database }: Connection): string {
  return JSON.stringify([user, database, createHash('sha256').update(password).digest('hex')])
}

function sendCancel(server: Server, client: PoolClient): void {
  const key = sessionKey.safeParse(client)
  if (!key.success) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(cancelRequestCode, 4)
  message.writeInt32BE(key.data.processID, 8)
  message.writeInt32BE(key.data.secretKey, 12)
  const socket = connect(server, () => socket.end(message))
  // The server answers a cancel request by closing; whether it came through shows in the statement's own fate.
  socket.on('error', () => socket.destroy())
}

/** Without `maxConnections`, a login's requests queue for a few connections; with it, those beyond are refused. */
export function createPools(server: Server, maxConnections?: number): Pools {
  const pools = new Map<string, Pool>()

  const isFull = (pool: Pool): boolean => {
    const open = [...pools.values()].reduce((sum, { totalCount }) => sum + totalCount, 0)
    return maxConnections !== undefined && pool.idleCount === 0 && open >= maxConnections
  }

  const dropWhenEmpty = (key: string, pool: Pool) => {
    if (pool.totalCount > 0 || pool.waitingCount > 0 || pools.get(key) !== pool) return
    pools.delete(key)
    void pool.end()
  }

  const open = (key: string, connection: Connection): Pool => {
    const pool = new Pool({
      ...server,
      ...connection,
      max: maxConnections ?? connectionsPerPool,
      idleTimeoutMillis: idleMs,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: 'neon-endpoint',
    })
    // One that ends between two statements of its holder's: the next statement says so.
    pool.on('connect', (client) => client.on('error', () => undefined))
    // An idle connection ends when its database is dropped or the server stops; the pool removes it by itself.
    pool.on('error', () => undefined)
    pool.on('remove', () => dropWhenEmpty(key, pool))
    pools.set(key, pool)
    return pool
  }

  return {
    async acquire(connection) {
      const key = poolKey(connection)
      const pool = pools.get(key) ?? open(key, connection)
      if (isFull(pool)) return 'full'
      try {
        return await pool.connect()
      } catch (error) {
        dropWhenEmpty(key, pool)
        throw error
      }
    },
    async giveBack(client) {
      try {
        if (client.getTransactionStatus() !== 'I') await client.query('ROLLBACK')
        await client.query(reset)
        client.release()
      } catch {
        client.release(true)
      }
    },
    cancel: (client) => sendCancel(server, client),
    async end() {
      // First: a pool whose last connection goes is ended by itself, while it is in the map.
      const ending = [...pools.values()]
      pools.clear()
      await Promise.all(ending.map((pool) => pool.end()))
    },
  }
}
