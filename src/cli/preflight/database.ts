// Checks of the database: the Worker's logins over TLS, and as the owner the migrations, the keys of stored secrets and the
// backups.
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { join } from 'node:path'
import { Client } from 'pg'
import * as z from 'zod'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { type Check, fail, messageOf, pass, type Verdict, warn } from '../lib/checks.ts'
import type { PreflightPorts } from './ports.ts'

const connectTimeoutMs = 15_000
const versions = { oldest: 15, newest: 18 }
const encrypted: ReadonlySet<string> = new Set(['require', 'verify-ca', 'verify-full'])
const migrationsFolder = join(projectFolder, 'migrations')

const logins = [
  { variable: 'DATABASE_URL', role: 'wn_api', isPooled: true },
  { variable: 'DATABASE_JOBS_URL', role: 'wn_jobs', isPooled: true },
  { variable: 'DATABASE_IDENTITY_URL', role: 'wn_identity', isPooled: true },
  { variable: 'DATABASE_BACKUP_URL', role: 'wn_backup', isPooled: false },
] as const
type Login = (typeof logins)[number]

/** The driver verifies the certificate for `require` too, and warns on every connection that it will not for ever. */
const verified = (url: string): string => url.replace(/(?<=[?&]sslmode=)require(?=&|$)/, 'verify-full')

/** Runs `work` on one connection that ends with it. */
export async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    connectionString: verified(url),
    application_name: 'wealthnavigator-edge preflight',
    connectionTimeoutMillis: connectTimeoutMs,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const loginRow = z.object({
  version: z.coerce.number(),
  acts: z.boolean(),
  others: z.array(z.string()),
  attributes: z.array(z.string()),
  owns: z.boolean(),
})

const loginQuery = `
  SELECT current_setting('server_version_num') AS version, pg_has_role(current_user, $1, 'usage') AS acts,
    ARRAY(SELECT r FROM unnest($2::text[]) r WHERE r <> $1 AND pg_has_role(current_user, r, 'usage')) AS others,
    ARRAY(SELECT a FROM pg_roles, unnest(array[
        CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END]) a WHERE rolname = current_user AND a IS NOT NULL) AS attributes,
    EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname IN ('public', 'app', 'identity') AND pg_has_role(current_user, c.relowner, 'usage')) AS owns`

/** What is wrong with a login, in fixed sentences. */
async function loginProblems(url: string, { variable, role }: Login): Promise<string[]> {
  const roles = logins.map((login) => login.role)
  const { rows } = await connected(url, (client) => client.query(loginQuery, [role, roles]))
  const { version, acts, others, attributes, owns } = loginRow.parse(rows[0])
  const major = Math.floor(version / 10_000)
  return [
    ...(acts ? [] : [`${variable} lacks the rights of ${role}`]),
    ...(others.length === 0 ? [] : [`${variable} also has the rights of ${others.join(', ')}`]),
    ...(attributes.length === 0
      ? []
      : [`${variable} is ${attributes.join(', ')}, and could bypass row-level security`]),
    ...(owns ? [`${variable} owns tables, and bypasses row-level security`] : []),
    ...(major < versions.oldest || major > versions.newest
      ? [`the server is PostgreSQL ${major}; ${versions.oldest} to ${versions.newest} are supported`]
      : []),
  ]
}

const isNeon = (host: string): boolean => /\.neon\.(?:tech|build)$/.test(host)
const isPooler = (host: string): boolean => /^[^.]+-pooler\./.test(host)

const bootstrapRemedy = 'Make logins with `npm run -s db:bootstrap` and use the URLs that it prints.'

const databaseHosts: Check<PreflightPorts> = {
  name: 'pooled host',
  check({ secrets }) {
    const hosts = logins.flatMap(({ variable, isPooled }) => {
      const host = URL.parse(secrets[variable] ?? '')?.hostname
      return host === undefined ? [] : [{ variable, isPooled, host }]
    })
    if (hosts.length === 0)
      return warn('not checked: no DATABASE_URL is known here', 'Run it where the secrets file is.')
    const wrong = hosts.filter(({ host, isPooled }) => isNeon(host) && isPooler(host) !== isPooled)
    const said = wrong.map(({ variable, isPooled }) => `${variable} must ${isPooled ? '' : 'not '}name the pooled host`)
    if (said.length > 0) return fail(said.join('; '), bootstrapRemedy)
    if (hosts.some(({ host }) => !isNeon(host)))
      return warn(
        'not Neon: whether a pooler is in between is unknown',
        'A direct server needs connections for every request.',
      )
    return pass('requests go through the pooler, backups do not')
  },
}

const databaseLogins: Check<PreflightPorts> = {
  name: 'database logins over TLS',
  async check({ secrets }) {
    const given = logins.filter(({ variable }) => secrets[variable] !== undefined)
    if (given.length === 0)
      return warn('not checked: no DATABASE_URL is known here', 'Run it where the secrets file is.')
    const problems: string[] = []
    for (const login of given) {
      const { variable } = login
      const url = secrets[variable] ?? ''
      const parsed = URL.parse(url)
      // Without it, the driver would take a connection in plaintext.
      if (parsed === null || !encrypted.has(parsed.searchParams.get('sslmode') ?? ''))
        problems.push(`${variable} does not say sslmode=require`)
      else
        try {
          problems.push(...(await loginProblems(url, login)))
        } catch (error) {
          problems.push(`${variable}: ${messageOf(error)}`)
        }
    }
    if (problems.length > 0) return fail(problems.join('; '), bootstrapRemedy)
    return pass(`${given.length} logins connect with TLS, have their role alone and bypass nothing`)
  },
}

/** The owner's URL, or why there is none. */
export function ownerUrlOf({ shell, secrets }: PreflightPorts): { url: string } | { verdict: Verdict } {
  const url = shell['MIGRATE_DATABASE_URL']
  const remedy = "Give MIGRATE_DATABASE_URL the owner's URL (direct host)."
  if (!url) return { verdict: fail('MIGRATE_DATABASE_URL is not set', remedy) }
  const parsed = URL.parse(url)
  if (parsed === null) return { verdict: fail('MIGRATE_DATABASE_URL is no URL', remedy) }
  if (isPooler(parsed.hostname)) return { verdict: fail('MIGRATE_DATABASE_URL names the pooled host', remedy) }
  if (!encrypted.has(parsed.searchParams.get('sslmode') ?? ''))
    return { verdict: fail('MIGRATE_DATABASE_URL does not say sslmode=require', remedy) }
  const place = (text: string): string | null => {
    const other = URL.parse(text)
    return other === null ? null : `${other.hostname.replace('-pooler.', '.')}${other.pathname}`
  }
  const { DATABASE_URL: apiUrl } = secrets
  if (apiUrl !== undefined && place(apiUrl) !== place(url))
    return { verdict: fail('MIGRATE_DATABASE_URL and DATABASE_URL name different databases', remedy) }
  return { url }
}

const historyRows = z.array(z.object({ hash: z.string() }))

/** The hashes of the applied migrations, in their order; none for a database that has none. */
async function applied(url: string): Promise<string[]> {
  return await connected(url, async (client) => {
    const { rows } = await client.query(`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS there`)
    if (!z.tuple([z.object({ there: z.boolean() })]).parse(rows)[0].there) return []
    const history = await client.query('SELECT hash FROM drizzle.__drizzle_migrations ORDER BY created_at')
    return historyRows.parse(history.rows).map(({ hash }) => hash)
  })
}

const migrations: Check<PreflightPorts> = {
  name: 'migrations',
  async check(ports) {
    const owner = ownerUrlOf(ports)
    if ('verdict' in owner) return owner.verdict
    const known = readMigrationFiles({ migrationsFolder }).map(({ hash }) => hash)
    const there = await applied(owner.url)
    const changed = there.findIndex((hash, index) => known[index] !== undefined && known[index] !== hash)
    if (changed !== -1)
      return fail(
        `migration ${changed + 1} of the database differs from the file`,
        'A migration that was applied must not change: check out the commit that was deployed and compare.',
      )
    if (there.length > known.length)
      return warn(
        `the database has ${there.length - known.length} more migrations than this commit`,
        'That is right for a rollback only. Otherwise deploy the newer commit.',
      )
    const pending = known.length - there.length
    if (pending > 0)
      return warn(`${pending} are pending`, '`npm run deploy` applies them first; by hand: `npm run -s db:migrate`.')
    return pass(`the database is at migration ${known.length}`)
  },
}

export const databaseChecks: readonly Check<PreflightPorts>[] = [databaseLogins, databaseHosts, migrations]
