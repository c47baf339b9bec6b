// The connections of the Neon endpoint to a real server.
import { Client, type PoolClient } from 'pg'
import { expect, inject, it } from 'vitest'
import { createPools, type Pools } from '../../../../src/dev/neon-local/pools.ts'
import type { Connection } from '../../../../src/dev/neon-local/request.ts'
import { connectStack } from '../../../support/stack.ts'

async function acquire(pools: Pools, connection: Connection): Promise<PoolClient> {
  const client = await pools.acquire(connection)
  if (client === 'full') throw new Error('The pool has no connection left.')
  return client
}

it('a connection that ends between two statements of its holder’s fails the next one, and nothing else', async () => {
  const stack = connectStack(inject('control'))
  const database = await stack.createDatabase()
  const { hostname, port, username, password } = new URL(database.ownerUrl)
  const pools = createPools({ host: hostname, port: Number(port) })
  const connection = { user: username, password: decodeURIComponent(password), database: database.name }
  const owner = new Client(database.ownerUrl)
  await owner.connect()
  try {
    const held = await acquire(pools, connection)
    const { rows } = await held.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const ended = new Promise((resolve) => held.once('end', resolve))
    await owner.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
    await ended
    await expect(held.query('SELECT 1')).rejects.toThrow('connection')
    await pools.giveBack(held)
    const next = await acquire(pools, connection)
    expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pools.giveBack(next)
  } finally {
    await owner.end()
    await pools.end()
  }
}, 30_000)

it('a pool that empties while another one is still in use is ended once', async () => {
  const stack = connectStack(inject('control'))
  const database = await stack.createDatabase()
  const connectionOf = (url: string) => {
    const { username, password } = new URL(url)
    return { user: username, password: decodeURIComponent(password), database: database.name }
  }
  const { hostname, port } = new URL(database.ownerUrl)
  const pools = createPools({ host: hostname, port: Number(port) })
  const rejected: unknown[] = []
  const note = (reason: unknown): void => void rejected.push(reason)
  process.on('unhandledRejection', note)
  try {
    const idle = await acquire(pools, connectionOf(database.ownerUrl))
    const used = await acquire(pools, connectionOf(database.apiUrl))
    const gone = new Promise((resolve) => idle.once('end', resolve))
    await pools.giveBack(idle)
    const ended = pools.end()
    await gone
    await new Promise((resolve) => setImmediate(resolve))
    await pools.giveBack(used)
    await ended
    expect(rejected).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
}, 30_000)
