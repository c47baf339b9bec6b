// Makes the Worker's database logins. The migrations create four roles with the rights. Each role has two logins, a
// and b, whose passwords are changed in turns: new passwords go to the older generation, and only while it has no
// sessions, so that the running Worker keeps its login. Uses SQL, because roles that are made in Neon's console inherit
// BYPASSRLS. Never leaves a login that could bypass row-level security.
import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import * as z from 'zod'
import { refuseOldServer, withMigrationLock } from './migrate.ts'
import { inTransaction } from './owner-session.ts'

export const apiRole = 'wn_api'
export const jobsRole = 'wn_jobs'
export const identityRole = 'wn_identity'
export const backupRole = 'wn_backup'
const roles = [apiRole, jobsRole, identityRole, backupRole] as const

const generations = ['a', 'b'] as const
export type Generation = (typeof generations)[number]

export interface BootstrapOptions {
  apiPassword?: string
  jobsPassword?: string
  identityPassword?: string
  backupPassword?: string
  /** The generation to give new passwords; by default the one with the older passwords. */
  generation?: Generation
  /** Also changes the passwords if that generation has sessions, which may be the running Worker's. */
  force?: boolean
}

export interface LoginUrls {
  apiUrl: string
  jobsUrl: string
  /** For built-in accounts. */
  identityUrl: string
  /** For backups. Without Neon's pooler: its one session is open for minutes. */
  backupUrl: string
  generation: Generation
}

const denials = new Map([
  ['rolsuper', 'NOSUPERUSER'],
  ['rolbypassrls', 'NOBYPASSRLS'],
  ['rolcreaterole', 'NOCREATEROLE'],
  ['rolcreatedb', 'NOCREATEDB'],
  ['rolreplication', 'NOREPLICATION'],
])

const flag = z.boolean()
const roleSchema = z.object({
  rolsuper: flag,
  rolbypassrls: flag,
  rolcreaterole: flag,
  rolcreatedb: flag,
  rolreplication: flag,
  member_of: z.array(z.string()),
})

const roleQuery = `
  SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
         ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
           AS member_of
    FROM pg_roles r WHERE rolname = $1`

/**
 * The settings of a role (for all databases) that differ in one of its logins, are missing there, or that only the
 * login has (null).
 */
const differencesQuery = `
  WITH settings AS (
    SELECT setrole, split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
      FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setdatabase = 0)
  SELECT name, r.value FROM (SELECT name, value FROM settings WHERE setrole = $1::regrole) r
    FULL JOIN (SELECT name, value FROM settings WHERE setrole = $2::regrole) l USING (name)
   WHERE r.value IS DISTINCT FROM l.value`
const differenceRows = z.array(z.object({ name: z.string(), value: z.string().nullable() }))

const sessionsQuery = `
  SELECT usename AS login, count(*)::int AS sessions FROM pg_stat_activity WHERE usename = ANY ($1) GROUP BY 1 ORDER BY 1`
const sessionRows = z.array(z.object({ login: z.string(), sessions: z.number() }))

/** When a login got its password is in its comment: an owner can write no other place of a role. */
const newestQuery = `
  SELECT right(rolname, 1) AS generation FROM pg_roles WHERE rolname = ANY ($1)
   ORDER BY shobj_description(oid, 'pg_authid') DESC NULLS LAST LIMIT 1`
const newestRows = z.array(z.object({ generation: z.enum(generations) }))

const isRole = (name: string): boolean => roles.some((role) => role === name)
const loginOf = (role: string, generation: Generation): string => `${role}_${generation}`

/** `url` with another login. Host, database and parameters stay. */
export function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url)
  // The setters escape every character that could end the password, except the per cent sign.
  changed.username = encodeURIComponent(user)
  changed.password = encodeURIComponent(password)
  return changed.href
}

/** The same database behind Neon's pooler, if the URL is Neon's. The direct host takes about a hundred connections. */
export function pooledUrl(url: string): string {
  const changed = new URL(url)
  if (/\.neon\.(tech|build)$/.test(changed.hostname) && !/^[^.]+-pooler\./.test(changed.hostname))
    changed.hostname = changed.hostname.replace(/^[^.]+/, '$&-pooler')
  return changed.href
}

/** 192 random bits that need no escaping in a URL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Removes the attributes of a role that bypass row-level policies.
 * Names only attributes that are wrong, because an owner who is not a superuser may not even set NOSUPERUSER.
 * @throws Error if the role is a member of roles other than `allowed`
 */
async function restrict(client: Client, role: string, allowed: readonly string[]): Promise<void> {
  const found = await client.query(roleQuery, [role])
  if (found.rowCount === 0) throw new Error(`The role ${role} is missing: run \`npm run db:migrate\` first.`)
  const { member_of: memberOf, ...attributes } = roleSchema.parse(found.rows[0])
  const others = memberOf.filter((name) => !allowed.includes(name))
  if (others.length > 0)
    throw new Error(`${role} is a member of ${others.join(', ')} and has their rights: REVOKE that and try again.`)
  const denied = Object.entries(attributes).flatMap(([name, held]) => (held ? [denials.get(name) ?? ''] : []))
  if (denied.length > 0) await client.query(`ALTER ROLE ${role} ${denied.join(' ')}`)
}

async function exists(client: Client, role: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])
  return rowCount === 1
}

/**
 * Revokes rights that the migration for the accounts' login left with the older logins, for the Worker that ran then.
 */
async function revokeOwnRights(client: Client, login: string): Promise<void> {
  await client.query(`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM ${login}`)
  await client.query(`REVOKE ALL ON SCHEMA identity FROM ${login}`)
}

/** Makes a login. It has its role's rights by membership, and no other rights. */
async function makeLogin(client: Client, role: string, login: string, password: string): Promise<void> {
  if (!(await exists(client, login))) await client.query(`CREATE ROLE ${login} NOLOGIN`)
  await restrict(client, login, [role])
  await client.query(`GRANT ${role} TO ${login}`)
  await revokeOwnRights(client, login)
  await client.query(`ALTER ROLE ${login} LOGIN INHERIT PASSWORD ${client.escapeLiteral(password)}`)
  await client.query(`COMMENT ON ROLE ${login} IS ${client.escapeLiteral(new Date().toISOString())}`)
}

/**
 * Copies a role's settings to both of its logins, because settings are not inherited. Removes settings that the role no
 * longer has.
 */
async function copySettings(client: Client, role: string): Promise<void> {
  for (const login of generations.map((generation) => loginOf(role, generation))) {
    if (!(await exists(client, login))) continue
    const { rows } = await client.query(differencesQuery, [role, login])
    for (const { name, value } of differenceRows.parse(rows)) {
      const parameter = client.escapeIdentifier(name).replaceAll('.', '"."')
      await client.query(
        value === null
          ? `ALTER ROLE ${login} RESET ${parameter}`
          : `ALTER ROLE ${login} SET ${parameter} = ${client.escapeLiteral(value)}`,
      )
    }
  }
}

/** Throws if a login of this generation has sessions: a Worker that uses the old passwords would lose its database. */
async function refuseSessions(client: Client, generation: Generation): Promise<void> {
  const { rows } = await client.query(sessionsQuery, [roles.map((role) => loginOf(role, generation))])
  const used = sessionRows.parse(rows)
  if (used.length === 0) return
  const list = used.map(({ login, sessions }) => `${login} (${sessions})`).join(', ')
  throw new Error(
    `The logins that would get new passwords have sessions: ${list}. Either a Worker still uses them: deploy the URLs of the ` +
      'newest logins first (`wrangler secret bulk`). Or idle connections of a pooler are left: wait until they are closed, ' +
      'about ten minutes. `--force` sets new passwords all the same.',
  )
}

/** The generation with the newest passwords; null if none has passwords. */
async function newestGeneration(client: Client): Promise<Generation | null> {
  const logins = generations.map((generation) => loginOf(apiRole, generation))
  const { rows } = await client.query(newestQuery, [logins])
  return newestRows.parse(rows)[0]?.generation ?? null
}

/**
 * Gives one generation of the Worker's four logins new passwords (random by default), in one transaction. The other
 * generation stays valid. `url` is the owner's. The returned URLs use Neon's pooler, except the one for backups.
 * @throws Error if that generation has sessions, unless forced
 */
export async function bootstrap(url: string, options: BootstrapOptions = {}): Promise<LoginUrls> {
  const {
    apiPassword = newPassword(),
    jobsPassword = newPassword(),
    identityPassword = newPassword(),
    backupPassword = newPassword(),
  } = options
  const renew = async (client: Client): Promise<Generation> => {
    for (const role of roles) await restrict(client, role, [])
    const next = options.generation ?? ((await newestGeneration(client)) === 'a' ? 'b' : 'a')
    if (options.force !== true) await refuseSessions(client, next)
    await makeLogin(client, apiRole, loginOf(apiRole, next), apiPassword)
    await makeLogin(client, jobsRole, loginOf(jobsRole, next), jobsPassword)
    await makeLogin(client, identityRole, loginOf(identityRole, next), identityPassword)
    await makeLogin(client, backupRole, loginOf(backupRole, next), backupPassword)
    for (const role of roles) await copySettings(client, role)
    return next
  }
  const generation = await withMigrationLock(url, async (client) => {
    await refuseOldServer(client)
    return await inTransaction(client, () => renew(client))
  })
  const urlOf = (role: string, password: string, at = pooledUrl(url)) =>
    withLogin(at, loginOf(role, generation), password)
  return {
    apiUrl: urlOf(apiRole, apiPassword),
    jobsUrl: urlOf(jobsRole, jobsPassword),
    identityUrl: urlOf(identityRole, identityPassword),
    backupUrl: urlOf(backupRole, backupPassword, url),
    generation,
  }
}

export interface RetiredLogins {
  /** The logins that were disabled now. */
  readonly logins: readonly string[]
  /** The number of their sessions that were ended. */
  readonly sessions: number
}

const terminateQuery = 'SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_stat_activity WHERE usename = ANY ($1)'

/**
 * Ends the sessions of these logins: without that, someone who has connected with a stolen password stays connected.
 * @throws Error if a session remains
 */
async function endSessions(client: Client, logins: readonly string[]): Promise<number> {
  const { rows } = await client.query(terminateQuery, [logins]).catch((cause: unknown) => {
    throw new Error(
      'The older logins are disabled, but the owner may not end their sessions: GRANT pg_signal_backend.',
      {
        cause,
      },
    )
  })
  const ended = z.array(z.object({ ended: flag })).parse(rows)
  const left = ended.filter((row) => !row.ended).length
  if (left > 0)
    throw new Error(`The older logins are disabled, but ${left} of their sessions did not end: run it again.`)
  return ended.length
}

/** Disables every login of the Worker except those of the newest generation, and ends their sessions. */
export async function retireLogins(url: string): Promise<RetiredLogins> {
  return await withMigrationLock(url, async (client) => {
    const newest = await newestGeneration(client)
    if (newest === null) throw new Error('There are no logins yet: run `npm run db:bootstrap` first.')
    const older = roles.flatMap((role) => [role, loginOf(role, newest === 'a' ? 'b' : 'a')])
    const { rows } = await client.query(
      'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1) AND rolcanlogin',
      [older],
    )
    const logins = z
      .array(z.object({ name: z.string() }))
      .parse(rows)
      .map(({ name }) => name)
    await inTransaction(client, async () => {
      for (const name of logins) {
        await client.query(`ALTER ROLE ${name} NOLOGIN PASSWORD NULL`)
        if (!isRole(name)) await revokeOwnRights(client, name)
      }
    })
    // After the commit, so that no session can begin in between. Also of logins that an earlier run disabled.
    return { logins, sessions: await endSessions(client, older) }
  })
}
