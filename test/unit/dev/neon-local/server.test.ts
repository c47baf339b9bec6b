// The Neon endpoint with Neon's own driver, plain HTTP and a real server.
import { setTimeout as delay } from 'node:timers/promises'
import { Client as NeonClient, neon, neonConfig } from '@neondatabase/serverless'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type NeonEndpoint, startNeonEndpoint } from '../../../../src/dev/neon-local/server.ts'
import { connectStack, type TestDatabase } from '../../../support/stack.ts'

const maxBytes = 200_000
const stack = connectStack(inject('control'))

let database: TestDatabase
/** Endpoints of the same server with limits that a test can reach. */
let small: NeonEndpoint
let limited: NeonEndpoint
let full: NeonEndpoint
let direct: Client

const sql = (url = database.ownerUrl) => neon(url)

async function through<T>(endpoint: string, work: () => Promise<T>): Promise<T> {
  const usual = neonConfig.fetchEndpoint
  neonConfig.fetchEndpoint = () => endpoint
  try {
    return await work()
  } finally {
    neonConfig.fetchEndpoint = usual
  }
}

async function countNotes(text: string): Promise<number> {
  const { rows } = await direct.query<{ n: number }>('SELECT count(*)::int AS n FROM notes WHERE text = $1', [text])
  return rows[0]?.n ?? -1
}

async function isSomethingRunning(): Promise<boolean> {
  const { rowCount } = await direct.query(
    `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
  )
  return rowCount !== 0
}

function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers })
}

beforeAll(async () => {
  database = await stack.createDatabase()
  neonConfig.fetchEndpoint = () => database.endpoint
  direct = new Client(database.ownerUrl)
  await direct.connect()
  await direct.query('CREATE TABLE notes (id int PRIMARY KEY, text text)')
  const options = { postgresUrl: database.ownerUrl, port: 0, log: () => undefined }
  small = await startNeonEndpoint({ ...options, maxBytes })
  limited = await startNeonEndpoint({ ...options, requestLimits: [{ requests: 2, perMs: 60_000 }] })
  full = await startNeonEndpoint({ ...options, maxConnections: 1 })
}, 60_000)

afterAll(async () => {
  await Promise.all([small.stop(), limited.stop(), full.stop()])
  await direct.end()
})

describe('values', () => {
  it('come as text, exact, and are parsed by the driver alone', async () => {
    const rows = await sql()`SELECT 1::int8 AS big, 1234567890123456.10::numeric AS money, NULL AS nothing,
      ${'{"a":[1]}'}::jsonb AS json, ${Buffer.from([0, 255])}::bytea AS bytes`
    expect(rows).toEqual([
      { big: '1', money: '1234567890123456.10', nothing: null, json: { a: [1] }, bytes: Buffer.from([0, 255]) },
    ])
  })

  it('come as JSON where raw text was not asked for', async () => {
    const body = JSON.stringify({ query: 'SELECT 1 AS n, true AS yes, 2::int8 AS big, $1::int AS p', params: [7] })
    const response = await post(database.endpoint, body, { 'neon-connection-string': database.ownerUrl })
    expect(await response.json()).toMatchObject({
      command: 'SELECT',
      rowCount: 1,
      rowAsArray: false,
      rows: [{ n: 1, yes: true, big: '2', p: 7 }],
    })
  })
})

describe('a batch', () => {
  it('is one transaction, and a failure anywhere in it leaves nothing', async () => {
    const query = sql()
    const batch = query.transaction([
      query`INSERT INTO notes VALUES (1, 'all or nothing')`,
      query`INSERT INTO notes VALUES (1, 'again')`,
    ])
    await expect(batch).rejects.toMatchObject({ code: '23505', constraint: 'notes_pkey', table: 'notes' })
    expect(await countNotes('all or nothing')).toBe(0)
  })

  it('has the isolation, read-only and deferrable that were asked for', async () => {
    const query = sql()
    const settings = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable']
    const shown = await query.transaction(
      settings.map((name) => query.query(`SELECT current_setting('${name}') AS value`)),
      { isolationLevel: 'Serializable', readOnly: true, deferrable: true },
    )
    expect(shown).toEqual([[{ value: 'serializable' }], [{ value: 'on' }], [{ value: 'on' }]])
    const write = query.transaction([query`INSERT INTO notes VALUES (2, 'read only')`], { readOnly: true })
    await expect(write).rejects.toMatchObject({ code: '25006' })
  })

  it('fails where its commit fails', async () => {
    const query = sql()
    await direct.query('CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
    const batch = query.transaction([query`INSERT INTO late VALUES (1)`, query`INSERT INTO late VALUES (1)`])
    await expect(batch).rejects.toMatchObject({ code: '23505' })
  })
})

describe('a connection', () => {
  it('is made as the login of the connection string, with any host', async () => {
    const elsewhere = database.apiUrl.replace(/@[^/]+/, '@ep-calm-sea-1.eu-central-1.aws.neon.tech')
    expect(await sql(elsewhere)`SELECT current_user AS name`).toEqual([{ name: 'wn_api_a' }])
  })

  it('is refused with a wrong password even after a right one, and the response contains no password', async () => {
    await sql(database.apiUrl)`SELECT 1`
    const wrong = new URL(database.apiUrl)
    wrong.password = 'wrong-password'
    const response = await post(database.endpoint, '{"query":"SELECT 1"}', { 'neon-connection-string': wrong.href })
    const text = await response.text()
    expect([response.status, JSON.parse(text)]).toMatchObject([400, { code: '' }])
    expect(text).not.toContain('wrong-password')
  })

  it('carries nothing over to the next request', async () => {
    const query = sql()
    await query`SET search_path = pg_catalog`
    await query`CREATE TEMP TABLE leftover (id int)`
    await query`SELECT pg_advisory_lock(4711)`
    await query`BEGIN`
    const rows = await Promise.all(
      Array.from(
        { length: 16 },
        () =>
          query`SELECT current_setting('search_path') AS path, to_regclass('pg_temp.leftover') AS temporary,
          (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711) AS locks`,
      ),
    )
    expect(new Set(rows.map((row) => JSON.stringify(row)))).toEqual(
      new Set([JSON.stringify([{ path: '"$user", public', temporary: null, locks: 0 }])]),
    )
    expect(await isSomethingRunning()).toBe(false)
  })
})

describe('what Neon refuses', () => {
  it('two statements in one query', async () => {
    await expect(sql().query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601' })
  })

  it.each([
    ['a request without a connection string', '{"query":"SELECT 1"}', {}],
    ['a connection string that is none', '{"query":"SELECT 1"}', { 'neon-connection-string': 'nonsense' }],
    ['a body that is no JSON', '{', {}],
    ['a body that is no query', '{"queries":"SELECT 1"}', {}],
    ['a parameter that is an object', '{"query":"SELECT $1","params":[{}]}', {}],
    ['an unknown isolation level', '{"queries":[]}', { 'neon-batch-isolation-level': 'Chaos' }],
  ])('%s', async (name, body, headers) => {
    const login = name.includes('connection string') ? {} : { 'neon-connection-string': database.ownerUrl }
    const response = await post(database.endpoint, body, { ...login, ...headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toHaveProperty('message')
  })

  it('another method and another path', async () => {
    expect((await fetch(database.endpoint)).status).toBe(400)
    expect((await post(database.endpoint.replace('/sql', '/other'), '{}')).status).toBe(400)
  })

  it('a request over the limit, with 413', async () => {
    const response = await post(small.url, ' '.repeat(maxBytes + 1), { 'neon-connection-string': database.ownerUrl })
    expect(response.status).toBe(413)
  })

  it('a response over the limit, with 507, before all of it is read, and rolls the batch back', async () => {
    const query = sql()
    const started = performance.now()
    const batch = through(small.url, () =>
      query.transaction([
        query`INSERT INTO notes VALUES (3, 'too large')`,
        query`SELECT repeat('x', 1000), generate_series(1, 1000000000)`,
      ]),
    )
    await expect(batch).rejects.toThrow('507')
    // Without the cancellation the statement would run on.
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(await countNotes('too large')).toBe(0)
  })

  it('half a surrogate pair, which its JSON parser does not take', async () => {
    const response = await post(database.endpoint, String.raw`{"query":"SELECT $1","params":["\ud83d"]}`, {
      'neon-connection-string': database.ownerUrl,
    })
    expect([response.status, await response.json()]).toMatchObject([400, { code: '' }])
  })

  it('requests beyond its limit, with 500', async () => {
    const outcomes = await through(limited.url, () =>
      Promise.all([1, 2, 3].map(() => sql()`SELECT 1 AS one`.catch(String))),
    )
    expect(outcomes.filter(Array.isArray)).toHaveLength(2)
    expect(JSON.stringify(outcomes)).toContain('Too many connections to this endpoint')
  })

  it('connections beyond what the server takes, with 500', async () => {
    const outcomes = await through(full.url, () =>
      Promise.all([1, 2, 3].map(() => sql()`SELECT pg_sleep(0.5)`.catch(String))),
    )
    expect(outcomes.filter(Array.isArray)).toHaveLength(1)
    expect(JSON.stringify(outcomes)).toContain('HTTP status 500')
  })
})

describe('a caller who leaves', () => {
  it('has its transaction rolled back and its statement stopped', async () => {
    const query = sql()
    const leaving = new AbortController()
    const batch = query.transaction([query`INSERT INTO notes VALUES (5, 'left')`, query`SELECT pg_sleep(30)`], {
      fetchOptions: { signal: leaving.signal },
    })
    const outcome = batch.then(
      () => 'committed',
      (error: unknown) => String(error),
    )
    await expect.poll(isSomethingRunning).toBe(true)
    leaving.abort()
    expect(await outcome).toContain('aborted')
    await expect.poll(isSomethingRunning).toBe(false)
    expect(await countNotes('left')).toBe(0)
  })
})

describe('an injected failure', () => {
  it('leaves no trace when it is injected before the statements', async () => {
    await stack.addFault(database.name, { kind: 'fail-before', matching: 'insert into notes' })
    await expect(sql()`INSERT INTO notes VALUES (6, 'failed before')`).rejects.toThrow('500')
    expect(await countNotes('failed before')).toBe(0)
  })

  it('loses only the response after the commit, once, and after the given number of calls', async () => {
    await stack.addFault(database.name, { kind: 'lose-answer', matching: 'lost answer', after: 1 })
    await sql()`INSERT INTO notes VALUES (7, 'lost answer')`
    await expect(sql()`INSERT INTO notes VALUES (8, 'lost answer')`).rejects.toThrow('fetch failed')
    await sql()`INSERT INTO notes VALUES (9, 'lost answer')`
    expect(await countNotes('lost answer')).toBe(3)
  })
})

describe('a lost connection to the database', () => {
  it('is 400 with an empty code, whether or not the statements were committed', async () => {
    for (const [id, kind, kept] of [
      [11, 'cut-before', 0],
      [12, 'cut-after', 1],
    ] as const) {
      await stack.addFault(database.name, { kind, matching: 'insert into notes' })
      await expect(sql()`INSERT INTO notes VALUES (${id}, ${kind})`).rejects.toMatchObject({ code: '' })
      expect(await countNotes(kind)).toBe(kept)
    }
  })

  it('is also 400 with an empty code when its session was terminated', async () => {
    const running = sql()`SELECT pg_sleep(30)`.catch((error: unknown) => error)
    await expect.poll(isSomethingRunning).toBe(true)
    await direct.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'neon-endpoint' AND state = 'active'`,
    )
    expect(await running).toMatchObject({ code: '' })
  })
})

describe('a statement that hangs', () => {
  it('has no response until its caller disconnects', async () => {
    await stack.addFault(database.name, { kind: 'hang', matching: 'never answered' })
    const started = performance.now()
    const signal = AbortSignal.timeout(500)
    const hanging = sql().query('SELECT 1 /* never answered */', [], { fetchOptions: { signal } })
    await expect(hanging).rejects.toThrow('aborted due to timeout')
    expect(performance.now() - started).toBeGreaterThan(400)
  })
})

describe('a restart of the database', () => {
  it('empties unlogged tables between two requests, of which neither fails', async () => {
    await direct.query('CREATE UNLOGGED TABLE passing (id int)')
    await sql()`INSERT INTO passing VALUES (1)`
    await sql()`INSERT INTO notes VALUES (13, 'outlives a restart')`
    await stack.addFault(database.name, { kind: 'restart', matching: 'from passing' })
    expect(await sql()`SELECT count(*)::int AS n FROM passing`).toEqual([{ n: 0 }])
    expect(await countNotes('outlives a restart')).toBe(1)
  })
})

describe('a response', () => {
  it('names its request, for questions to Neon', async () => {
    const ask = () => post(database.endpoint, '{"query":"SELECT 1"}', { 'neon-connection-string': database.ownerUrl })
    const ids = (await Promise.all([ask(), ask()])).map(({ headers }) => headers.get('neon-request-id'))
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('the WebSocket', () => {
  const connect = async (path: string): Promise<NeonClient> => {
    Object.assign(neonConfig, {
      wsProxy: () => `${new URL(database.endpoint).host}${path}`,
      useSecureWebSocket: false,
      pipelineTLS: false,
      pipelineConnect: false,
      forceDisablePgSSL: true,
    })
    const client = new NeonClient(database.ownerUrl)
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  it('carries interactive transactions and large results', async () => {
    const client = await connect('/v2')
    await client.query('BEGIN')
    await client.query("INSERT INTO notes VALUES (10, 'socket')")
    const { rows } = await client.query("SELECT repeat('y', 1000) FROM generate_series(1, 20000)")
    await client.query('ROLLBACK')
    await client.end()
    expect(rows).toHaveLength(20_000)
    expect(await countNotes('socket')).toBe(0)
  })

  it('is at no other path', async () => {
    const refusal = connect('/other').then(
      () => 'connected',
      () => 'refused',
    )
    expect(await Promise.race([refusal, delay(5_000, 'no answer')])).toBe('refused')
  })
})
