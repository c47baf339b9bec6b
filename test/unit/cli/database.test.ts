// Migrations and logins on a server of their own, since logins belong to the whole server.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootstrap } from '../../../src/cli/bootstrap.ts'
import { migrate } from '../../../src/cli/migrate.ts'
import { startPostgres } from '../../../src/dev/postgres.ts'
import type { Postgres } from '../../../src/dev/postgres.ts'

let server: Postgres

beforeAll(async () => {
  server = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
}, 60_000)
afterAll(() => server.stop())

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

describe('bootstrap', () => {
  it('before the migrations says what is missing', async () => {
    await expect(bootstrap(server.url)).rejects.toThrow('db:migrate')
  })

  it('makes logins that own nothing and pass no policy by, also where somebody gave them more', async () => {
    await migrate(server.url)
    await query(server.superuserUrl, 'ALTER ROLE wn_api BYPASSRLS CREATEDB CREATEROLE')
    await bootstrap(server.url)
    const rows = await query(
      server.url,
      `SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
         FROM pg_roles WHERE rolname IN ('wn_api', 'wn_jobs') ORDER BY 1`,
    )
    const harmless = {
      rolcanlogin: true,
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
    }
    expect(rows).toEqual([
      { rolname: 'wn_api', ...harmless, rolreplication: false },
      { rolname: 'wn_jobs', ...harmless, rolreplication: false },
    ])
  })

  it("gives URLs that keep the owner's host and parameters, and log in", async () => {
    await migrate(server.url)
    const { apiUrl, jobsUrl } = await bootstrap(`${server.url}?application_name=x`, { apiPassword: 'p%4/:@ä' })
    expect(new URL(apiUrl).search).toBe('?application_name=x')
    expect(await query(apiUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_api' }])
    expect(await query(jobsUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_jobs' }])
  })

  it('refuses a login that is a member of another role', async () => {
    await migrate(server.url)
    await query(server.superuserUrl, 'GRANT pg_read_all_data TO wn_api')
    await expect(bootstrap(server.url)).rejects.toThrow('pg_read_all_data')
    await query(server.superuserUrl, 'REVOKE pg_read_all_data FROM wn_api')
  })
})

describe('migrate', () => {
  it('can run twice, and twice at once', async () => {
    await query(server.url, 'CREATE DATABASE twice')
    const url = server.url.replace(/\/wealthnavigator$/, '/twice')
    await Promise.all([migrate(url), migrate(url)])
    await migrate(url)
    const rows = await query(url, 'SELECT count(*) = count(DISTINCT hash) AS once FROM drizzle.__drizzle_migrations')
    expect(rows).toEqual([{ once: true }])
  })

  it("refuses Neon's pooler, where session locks do not hold", async () => {
    await expect(migrate('postgres://u:p@ep-a-pooler.eu.aws.neon.tech/d')).rejects.toThrow('-pooler')
  })

  it('leaves nothing of migrations of which one fails', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
    await expect(migrate(server.url, folder)).rejects.toThrow('_journal.json')
    await rm(folder, { recursive: true, force: true })
  })
})
