// The endpoint's connections to PostgreSQL: one small pool per login and database, closed when idle. Each password has
// a separate pool, so that a wrong password never gets a connection that a right one opened.
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { Pool, type PoolClient } from 'pg'
import * as z from 'zod'
import type { Connection } from './request.ts'

const connectionsPerPool = 8
const idleMs = 5_000
const connectTimeoutMs = 10_000
const cancelRequestCode = 80_877_102

/** Resets the session as far as possible without discarding the plan cache. */
const reset =
  'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; DISCARD TEMP; DISCARD SEQUENCES; ' +
  'UNLISTEN *; SELECT pg_advisory_unlock_all()'

// node-postgres stores the cancellation key of its session; its types do not declare it.
const sessionKey = z.object({ processID: z.int(), secretKey: z.int() })

export interface Server {
  host: string
  port: number
}

export interface Pools {
  /** A connection of that login, or `full` if the server has reached its limit. */
  acquire(connection: Connection): Promise<PoolClient | 'full'>
  /** Returns a connection to the pool and resets it. Closes it if the reset fails. */
  giveBack(client: PoolClient): Promise<void>
  /** Requests the server to cancel the running statement. Best effort, as in PostgreSQL's protocol. */
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
  // The server responds to a cancel request by closing. Only the statement's result shows whether it succeeded.
  socket.on('error', () => socket.destroy())
}

/**
 * Without `maxConnections`, requests of a login wait for a few connections. With it, requests beyond the limit are
 * refused.
 */
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
    // A connection can end between two statements of its user; the next statement then fails.
    pool.on('connect', (client) => client.on('error', () => undefined))
    // An idle connection ends when its database is dropped or the server stops. The pool removes it by itself.
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
      // Cleared first: a pool that loses its last connection while it is in the map would be ended a second time.
      const ending = [...pools.values()]
      pools.clear()
      await Promise.all(ending.map((pool) => pool.end()))
    },
  }
}
