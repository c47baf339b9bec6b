// The checks of the database against a real one behind TLS: its logins and its migrations.
import { describe, expect, it } from 'vitest'
import { useTlsDatabase } from './tls-database.ts'

const { get, check, withSecrets, sql } = useTlsDatabase()

describe('the logins', () => {
  const name = 'database logins over TLS'

  it('pass where each has its role alone', async () => {
    expect(await check(name)).toMatchObject({
      status: 'pass',
      said: expect.stringContaining('4 logins connect with TLS'),
    })
  })

  it('fail without sslmode, before a password is sent', async () => {
    const plain = new URL(get().secrets['DATABASE_URL'] ?? '')
    plain.search = ''
    expect(await check(name, withSecrets({ DATABASE_URL: plain.href }))).toMatchObject({
      status: 'fail',
      said: 'DATABASE_URL does not say sslmode=require',
    })
  })

  it('fail where the server has no TLS', async () => {
    expect(
      await check(name, withSecrets({ DATABASE_URL: `${get().database.apiUrl}?${get().parameters}` })),
    ).toMatchObject({
      status: 'fail',
      said: expect.stringContaining('does not support SSL'),
    })
  })

  it('fail where the certificate is not trusted', async () => {
    const url = get().proxy.through(get().database.apiUrl, 'sslmode=require')
    expect(await check(name, withSecrets({ DATABASE_URL: url }))).toMatchObject({
      status: 'fail',
      said: expect.stringContaining('self-signed'),
    })
  })

  it('fail with a wrong password, and do not print it', async () => {
    const wrong = new URL(get().secrets['DATABASE_URL'] ?? '')
    wrong.password = 'wrong-password-of-the-test'
    const result = await check(name, withSecrets({ DATABASE_URL: wrong.href }))
    expect(result).toMatchObject({ status: 'fail', said: expect.stringContaining('password authentication failed') })
    expect(result.said).not.toContain('wrong-password-of-the-test')
  })

  it('fail where one is the owner, or another role', async () => {
    const { DATABASE_JOBS_URL: jobs = '' } = get().secrets
    const owner = await check(name, withSecrets({ DATABASE_URL: get().owner }))
    expect(owner).toMatchObject({ status: 'fail', said: expect.stringContaining('DATABASE_URL owns tables') })
    const swapped = await check(name, withSecrets({ DATABASE_URL: jobs }))
    expect(swapped.said).toBe('DATABASE_URL lacks the rights of wn_api; DATABASE_URL also has the rights of wn_jobs')
  })

  it('are unknown without URLs', async () => {
    expect(await check(name, { secrets: {} })).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('not checked'),
    })
  })
})

describe('the migrations', () => {
  const newest = `created_at = (SELECT max(created_at) FROM drizzle.__drizzle_migrations)`

  it('pass where all are applied', async () => {
    expect(await check('migrations')).toMatchObject({
      status: 'pass',
      said: expect.stringMatching(/at migration \d\d$/),
    })
  })

  it('warn of pending ones, and of more than this commit knows', async () => {
    await sql(
      `CREATE TABLE kept AS SELECT * FROM drizzle.__drizzle_migrations WHERE ${newest}`,
      `DELETE FROM drizzle.__drizzle_migrations WHERE ${newest}`,
    )
    expect(await check('migrations')).toMatchObject({ status: 'warn', said: '1 are pending' })
    await sql(
      'INSERT INTO drizzle.__drizzle_migrations SELECT * FROM kept',
      'DROP TABLE kept',
      `INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('later', ${Date.now() * 2})`,
    )
    expect(await check('migrations')).toMatchObject({
      status: 'warn',
      said: expect.stringContaining('1 more migrations'),
    })
    await sql(`DELETE FROM drizzle.__drizzle_migrations WHERE hash = 'later'`)
  })

  it('fail where one was changed after it was applied', async () => {
    await sql(`UPDATE drizzle.__drizzle_migrations SET hash = 'x' || hash WHERE ${newest}`)
    expect(await check('migrations')).toMatchObject({
      status: 'fail',
      said: expect.stringContaining('differs from the file'),
    })
    await sql(`UPDATE drizzle.__drizzle_migrations SET hash = substr(hash, 2) WHERE ${newest}`)
  })

  it.each<[string, () => string | undefined, string]>([
    ['is not set', () => undefined, 'MIGRATE_DATABASE_URL is not set'],
    ['is no URL', () => 'nowhere', 'MIGRATE_DATABASE_URL is no URL'],
    ['is plaintext', () => get().database.ownerUrl, 'does not say sslmode=require'],
    [
      'goes through a pooler',
      () => 'postgres://o:p@ep-x-pooler.eu.neon.tech/wn?sslmode=require',
      'names the pooled host',
    ],
    [
      'is that of another database',
      () => get().owner.replace(get().database.name, 'postgres'),
      'name different databases',
    ],
  ])('fail where the URL of the owner %s', async (_what, url, said) => {
    const result = await check('migrations', { shell: { MIGRATE_DATABASE_URL: url() } })
    expect(result).toMatchObject({ status: 'fail', said: expect.stringContaining(said) })
  })
})

describe('the pooled host', () => {
  const at = (host: string, backupHost: string) =>
    check('pooled host', {
      secrets: {
        DATABASE_URL: `postgres://wn_api_a:x@${host}/wn?sslmode=require`,
        DATABASE_BACKUP_URL: `postgres://wn_backup_a:x@${backupHost}/wn?sslmode=require`,
      },
    })
  const [direct, pooled] = ['ep-x-1.eu-central-1.aws.neon.tech', 'ep-x-1-pooler.eu-central-1.aws.neon.tech'] as const

  it('passes as db:bootstrap prints the URLs', async () => {
    expect(await at(pooled, direct)).toMatchObject({ status: 'pass' })
  })

  it('fails for requests through the direct host, and for backups through the pooler', async () => {
    expect((await at(direct, direct)).said).toBe('DATABASE_URL must name the pooled host')
    expect(await at(pooled, pooled)).toMatchObject({
      status: 'fail',
      said: 'DATABASE_BACKUP_URL must not name the pooled host',
    })
  })

  it('is unknown elsewhere, and without URLs', async () => {
    expect(await at('db.wealth.test', 'db.wealth.test')).toMatchObject({ status: 'warn' })
    expect(await check('pooled host', { secrets: {} })).toMatchObject({ status: 'warn' })
  })
})
