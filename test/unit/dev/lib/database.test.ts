// The Worker's logins, on a separate server because logins belong to the whole server.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { bootstrap, type LoginUrls, pooledUrl, retireLogins, withLogin } from '../../../../src/dev/lib/bootstrap.ts'
import { migrate } from '../../../../src/dev/lib/migrate.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { type Postgres, startPostgres } from '../../../../src/dev/postgres/server.ts'
import { queryDirectly as query } from '../../../support/query-directly.ts'

let server: Postgres

beforeAll(async () => {
  server = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
}, 60_000)
afterAll(() => server.stop())

/** Passwords that keep the logins unchanged when they are created again. */
const passwordsOf = ({ apiUrl, jobsUrl, identityUrl, backupUrl, generation }: LoginUrls) => ({
  apiPassword: new URL(apiUrl).password,
  jobsPassword: new URL(jobsUrl).password,
  identityPassword: new URL(identityUrl).password,
  backupPassword: new URL(backupUrl).password,
  generation,
})

describe('bootstrap', () => {
  it('says what is missing before the migrations', async () => {
    await expect(bootstrap(server.url)).rejects.toThrow('db:migrate')
  })

  it('creates logins that own nothing and bypass no policy, even if they had more rights before', async () => {
    await migrate(server.url)
    await query(server.superuserUrl, 'ALTER ROLE wn_api BYPASSRLS CREATEDB CREATEROLE')
    await query(server.superuserUrl, 'CREATE ROLE wn_jobs_a BYPASSRLS CREATEDB')
    await query(server.superuserUrl, `GRANT wn_jobs_a TO ${new URL(server.url).username} WITH ADMIN OPTION`)
    await bootstrap(server.url)
    const rows = await query(
      server.url,
      `SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'wn_%' AND rolname <> current_user
         AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication) ORDER BY 1`,
    )
    expect(rows).toEqual([
      { rolname: 'wn_api', rolcanlogin: false },
      { rolname: 'wn_api_a', rolcanlogin: true },
      { rolname: 'wn_backup', rolcanlogin: false },
      { rolname: 'wn_backup_a', rolcanlogin: true },
      { rolname: 'wn_identity', rolcanlogin: false },
      { rolname: 'wn_identity_a', rolcanlogin: true },
      { rolname: 'wn_jobs', rolcanlogin: false },
      { rolname: 'wn_jobs_a', rolcanlogin: true },
    ])
  })

  it("gives URLs that keep the owner's host and parameters, and log in", async () => {
    await migrate(server.url)
    const options = { apiPassword: 'p%4/:@ä', generation: 'a' } as const
    const { apiUrl, jobsUrl, identityUrl, backupUrl } = await bootstrap(`${server.url}?application_name=x`, options)
    expect(new URL(apiUrl).search).toBe('?application_name=x')
    expect(await query(apiUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_api_a' }])
    expect(await query(jobsUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_jobs_a' }])
    expect(await query(identityUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_identity_a' }])
    expect(await query(backupUrl, 'SELECT current_user AS name')).toEqual([{ name: 'wn_backup_a' }])
  })

  it('leaves the logins that are in use valid until they are retired, those of an older version too', async () => {
    await migrate(server.url)
    await query(server.superuserUrl, "ALTER ROLE wn_api LOGIN PASSWORD 'from-before'")
    const oldUrl = withLogin(server.url, 'wn_api', 'from-before')
    const worksAs = async (url: string) =>
      await query(url, 'SELECT current_user AS name').then(
        ([row]) => row,
        () => 'refused',
      )
    const first = await bootstrap(server.url)
    const second = await bootstrap(server.url)
    expect(new Set([first.generation, second.generation])).toEqual(new Set(['a', 'b']))
    for (const { apiUrl, jobsUrl, identityUrl, backupUrl, generation } of [first, second]) {
      expect(await worksAs(apiUrl)).toEqual({ name: `wn_api_${generation}` })
      expect(await worksAs(jobsUrl)).toEqual({ name: `wn_jobs_${generation}` })
      expect(await worksAs(identityUrl)).toEqual({ name: `wn_identity_${generation}` })
      expect(await worksAs(backupUrl)).toEqual({ name: `wn_backup_${generation}` })
    }
    expect(await worksAs(oldUrl)).toEqual({ name: 'wn_api' })
    const older = ['wn_api', 'wn_jobs', 'wn_identity', 'wn_backup'].map((role) => `${role}_${first.generation}`)
    expect(new Set((await retireLogins(server.url)).logins)).toEqual(new Set(['wn_api', ...older]))
    for (const url of [oldUrl, first.apiUrl, first.jobsUrl, first.identityUrl, first.backupUrl])
      expect(await worksAs(url)).toBe('refused')
    expect(await worksAs(second.apiUrl)).toEqual({ name: `wn_api_${second.generation}` })
    expect((await bootstrap(server.url)).generation).toBe(first.generation)
    expect(await worksAs(second.apiUrl)).toEqual({ name: `wn_api_${second.generation}` })
  })

  it('refuses to change the passwords of logins that have sessions, unless forced', async () => {
    await migrate(server.url)
    const { jobsUrl, generation } = await bootstrap(server.url)
    const worker = new Client(jobsUrl)
    await worker.connect()
    try {
      await bootstrap(server.url)
      await expect(bootstrap(server.url)).rejects.toThrow(`wn_jobs_${generation} (1)`)
      await expect(bootstrap(server.url)).rejects.toThrow('--force')
      expect(await query(jobsUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      expect((await bootstrap(server.url, { force: true })).generation).toBe(generation)
      await expect(query(jobsUrl, 'SELECT 1 AS one')).rejects.toThrow('password')
    } finally {
      await worker.end()
    }
  })

  it('changes all passwords or none', async () => {
    await migrate(server.url)
    const urls = [await bootstrap(server.url), await bootstrap(server.url)]
    const next = urls[0]?.generation ?? 'a'
    await query(server.superuserUrl, `GRANT pg_read_all_data TO wn_jobs_${next}`)
    await expect(bootstrap(server.url)).rejects.toThrow('pg_read_all_data')
    await query(server.superuserUrl, `REVOKE pg_read_all_data FROM wn_jobs_${next}`)
    for (const { apiUrl, jobsUrl, identityUrl, backupUrl } of urls)
      for (const url of [apiUrl, jobsUrl, identityUrl, backupUrl])
        expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect((await bootstrap(server.url)).generation).toBe(next)
  })

  it('copies the settings of a role to both of its logins, and takes those away that the role has no longer', async () => {
    await migrate(server.url)
    const urls = [await bootstrap(server.url), await bootstrap(server.url)]
    const settings = async () =>
      await Promise.all(
        urls.map(async ({ apiUrl }) => {
          const [row] = await query(
            apiUrl,
            `SELECT current_setting('work_mem') AS memory, current_setting('application_name') AS name,
              current_setting('statement_timeout') AS limit`,
          )
          return row
        }),
      )
    await query(
      server.superuserUrl,
      `ALTER ROLE wn_api SET work_mem = '5MB'; ALTER ROLE wn_api SET application_name = 'a=b'`,
    )
    await query(server.superuserUrl, `ALTER ROLE wn_api_a SET statement_timeout = '1h'`)
    await bootstrap(server.url, { force: true, ...(urls[0] ? passwordsOf(urls[0]) : {}) })
    const copied = { memory: '5MB', name: 'a=b', limit: '10s' }
    expect(await settings()).toEqual([copied, copied])
    await query(server.superuserUrl, 'ALTER ROLE wn_api RESET work_mem; ALTER ROLE wn_api RESET application_name')
    await bootstrap(server.url, { force: true, ...(urls[1] ? passwordsOf(urls[1]) : {}) })
    const reset = { memory: '4MB', name: '', limit: '10s' }
    expect(await settings()).toEqual([reset, reset])
  })

  it('prints nothing but JSON, as `wrangler secret bulk` takes it', async () => {
    await migrate(server.url)
    const program = join(projectFolder, 'src', 'cli', 'db.ts')
    const env = { PATH: process.env['PATH'], MIGRATE_DATABASE_URL: server.url }
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'bootstrap'], { env })
    const url = z.url()
    const urls = z
      .strictObject({ DATABASE_URL: url, DATABASE_JOBS_URL: url, DATABASE_IDENTITY_URL: url, DATABASE_BACKUP_URL: url })
      .parse(JSON.parse(stdout))
    for (const made of Object.values(urls)) expect(await query(made, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  }, 60_000)

  it('gives each login the limits of its role', async () => {
    await migrate(server.url)
    const { apiUrl } = await bootstrap(server.url)
    expect(await query(apiUrl, "SELECT current_setting('statement_timeout') AS limit")).toEqual([{ limit: '10s' }])
  })

  it('refuses a login that is a member of another role', async () => {
    await migrate(server.url)
    await query(server.superuserUrl, 'GRANT pg_read_all_data TO wn_api')
    await expect(bootstrap(server.url)).rejects.toThrow('pg_read_all_data')
    await query(server.superuserUrl, 'REVOKE pg_read_all_data FROM wn_api')
  })
})

describe('two generations of logins', () => {
  const roles = ['wn_api', 'wn_jobs', 'wn_identity', 'wn_backup'] as const
  const byRole = ({ apiUrl, jobsUrl, identityUrl, backupUrl }: LoginUrls) => ({
    wn_api: apiUrl,
    wn_jobs: jobsUrl,
    wn_identity: identityUrl,
    wn_backup: backupUrl,
  })

  /** What the login may do: its attributes, memberships and settings, and each right on each object of the schema. */
  const rightsOf = async (url: string) =>
    await query(
      url,
      `WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('public', 'app', 'identity', 'drizzle')),
        rights AS (
          SELECT format('%I.%I', nspname, relname) AS object, r AS right_, has_table_privilege(c.oid, r) AS held
            FROM pg_class c JOIN ours n ON n.oid = relnamespace,
              unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) r
            WHERE relkind IN ('r', 'p', 'v')
          UNION ALL SELECT format('%I.%I.%I', nspname, relname, attname), r, has_column_privilege(c.oid, attname, r)
            FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN ours n ON n.oid = relnamespace,
              unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) r
            WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
          UNION ALL SELECT p.oid::regprocedure::text, 'EXECUTE', has_function_privilege(p.oid, 'EXECUTE')
            FROM pg_proc p JOIN ours n ON n.oid = pronamespace
          UNION ALL SELECT nspname, r, has_schema_privilege(oid, r) FROM ours, unnest(ARRAY['USAGE', 'CREATE']) r)
       SELECT json_agg(format('%s %s', right_, object) ORDER BY object, right_) FILTER (WHERE held) AS rights,
         (SELECT row_to_json(s) FROM (SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
            rolconnlimit, rolvaliduntil FROM pg_roles WHERE rolname = current_user) s) AS attributes,
         (SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = current_user::regrole) AS roles,
         (SELECT array_agg(setting ORDER BY setting) FROM pg_db_role_setting, unnest(setconfig) setting
            WHERE setrole = current_user::regrole) AS settings FROM rights`,
    )

  it('work at the same time with the same rights', async () => {
    await migrate(server.url)
    const [first, second] = [byRole(await bootstrap(server.url)), byRole(await bootstrap(server.url))]
    for (const role of roles) {
      const held = await rightsOf(first[role])
      const [limits] = await query(
        server.url,
        `SELECT array_agg(setting ORDER BY setting) AS settings FROM pg_db_role_setting, unnest(setconfig) setting
          WHERE setrole = '${role}'::regrole`,
      )
      expect(limits).toMatchObject({ settings: expect.any(Array) })
      expect(held).toMatchObject([{ roles: [role], rights: expect.any(Array) }])
      expect(held).toMatchObject([limits])
      expect(await rightsOf(second[role])).toEqual(held)
    }
  })

  it('end with the sessions of the older one, and nothing is left of it', async () => {
    await migrate(server.url)
    const [older, newer] = [await bootstrap(server.url), await bootstrap(server.url)]
    const connected = [...Object.values(byRole(older)), newer.apiUrl].map((url) => new Client(url))
    for (const client of connected) {
      client.on('error', () => undefined)
      await client.connect()
    }
    try {
      expect(await retireLogins(server.url)).toMatchObject({ sessions: 4 })
      const alive = connected.map((client) =>
        client.query('SELECT 1').then(
          () => true,
          () => false,
        ),
      )
      expect(await Promise.all(alive)).toEqual([false, false, false, false, true])
    } finally {
      await Promise.allSettled(connected.map((client) => client.end()))
    }
    const logins = roles.map((role) => `${role}_${older.generation}`)
    expect(
      await query(
        server.superuserUrl,
        `SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ('{${logins.join(',')}}') ORDER BY 1`,
      ),
    ).toEqual(logins.toSorted().map((rolname) => ({ rolname, rolcanlogin: false, rolpassword: null })))
    // A role on which an object depends, or that still has a right, cannot be dropped.
    await query(server.url, `BEGIN; DROP ROLE ${logins.join(', ')}; ROLLBACK`)
    expect(await retireLogins(server.url)).toEqual({ logins: [], sessions: 0 })
  })
})

it('retiring logins fails, with the reason, where the owner may not end their sessions', async () => {
  await migrate(server.url)
  const [older] = [await bootstrap(server.url), await bootstrap(server.url)]
  const owner = new URL(server.url).username
  const session = new Client(older.apiUrl)
  session.on('error', () => undefined)
  await session.connect()
  await query(server.superuserUrl, `REVOKE pg_signal_backend FROM ${owner}`)
  try {
    await expect(retireLogins(server.url)).rejects.toThrow('GRANT pg_signal_backend')
    await expect(query(older.apiUrl, 'SELECT 1')).rejects.toThrow('password authentication failed')
  } finally {
    await query(server.superuserUrl, `GRANT pg_signal_backend TO ${owner} WITH ADMIN OPTION`)
  }
  expect(await retireLogins(server.url)).toEqual({ logins: [], sessions: 1 })
  await session.end().catch(() => undefined)
})

describe("the accounts' own login", () => {
  /** A folder with the migrations before that one. */
  async function olderMigrations(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
    await cp(join(projectFolder, 'migrations'), folder, { recursive: true })
    const path = join(folder, 'meta', '_journal.json')
    const journal = z
      .object({ entries: z.array(z.looseObject({ tag: z.string() })) })
      .parse(JSON.parse(await readFile(path, 'utf8')))
    const end = journal.entries.findIndex(({ tag }) => tag.endsWith('_identity_login'))
    expect(end).toBeGreaterThan(0)
    await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, end) }))
    return folder
  }

  it.each([
    ['keeps', 1],
    ['has nothing to keep', 0],
  ] as const)(
    '%s the functions for the Worker of before until its logins are retired (%i account)',
    async (_, accounts) => {
      await migrate(server.url)
      const name = `upgraded_${accounts}`
      await query(server.url, `CREATE DATABASE ${name}`)
      const url = server.url.replace(/\/wealthnavigator$/, `/${name}`)
      const folder = await olderMigrations()
      try {
        await migrate(url, folder)
        const old = await bootstrap(url)
        await query(
          url,
          `INSERT INTO identity.accounts (id, email, password_hash)
           SELECT gen_random_uuid(), n || '@example.com', 'hash' FROM generate_series(1, ${accounts}) n`,
        )
        await migrate(url)
        const reaches = async (login: string) =>
          await query(login, 'SELECT identity.session_lives(gen_random_uuid(), gen_random_uuid()) AS lives').then(
            () => true,
            () => false,
          )
        expect(await reaches(old.apiUrl)).toBe(accounts > 0)
        const next = await bootstrap(url)
        expect(next.generation).not.toBe(old.generation)
        expect([await reaches(next.identityUrl), await reaches(next.apiUrl)]).toEqual([true, false])
        expect(await reaches(old.apiUrl)).toBe(accounts > 0)
        await retireLogins(url)
        const left = `SELECT grantee::regrole::text AS login FROM
        (SELECT (aclexplode(proacl)).grantee FROM pg_proc WHERE pronamespace = 'identity'::regnamespace) g
        WHERE grantee::regrole::text ~ '^wn_api'`
        expect(await query(url, left)).toEqual([])
        expect(await reaches(next.identityUrl)).toBe(true)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})

describe("Neon's pooler", () => {
  it.each([
    ['postgres://u:p@ep-a-1.eu-central-1.aws.neon.tech/d?sslmode=require', 'ep-a-1-pooler.eu-central-1.aws.neon.tech'],
    ['postgres://u:p@ep-a-1-pooler.eu-central-1.aws.neon.tech/d', 'ep-a-1-pooler.eu-central-1.aws.neon.tech'],
    ['postgres://u:p@db.example.com/d', 'db.example.com'],
    ['postgres://u:p@127.0.0.1:5432/d', '127.0.0.1'],
  ])('is in the URLs of a Neon database alone: %s', (url, hostname) => {
    const pooled = new URL(pooledUrl(url))
    expect(pooled.hostname).toBe(hostname)
    expect([pooled.pathname, pooled.search, pooled.password]).toEqual([
      new URL(url).pathname,
      new URL(url).search,
      new URL(url).password,
    ])
  })
})
