// The logins of the Worker. The migrations make three roles, which hold the rights; each has two logins, a and b, that
// take turns: new passwords go to the older generation, and only while it has no sessions, so that the running Worker keeps
// its own. Made by SQL, since roles made in Neon's console inherit BYPASSRLS; never leaves a login that could pass the
// row-level policies by.
import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import * as z from 'zod'
import { inTransaction, refuseOldServer, withMigrationLock } from './migrate.ts'

export const apiRole = 'wn_api'
export const jobsRole = 'wn_jobs'
export const identityRole = 'wn_identity'
const roles = [apiRole, jobsRole, identityRole] as const

const generations = ['a', 'b'] as const
export type Generation = (typeof generations)[number]

export interface BootstrapOptions {
  apiPassword?: string
  jobsPassword?: string
  identityPassword?: string
  /** The one to give new passwords; without it, the one that got its passwords longer ago. */
  generation?: Generation
  /** Also where that generation has sessions, which may be the running Worker's. */
  force?: boolean
}

export interface LoginUrls {
  apiUrl: string
  jobsUrl: string
  /** For built-in accounts. */
  identityUrl: string
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

/** The settings of a role, of all databases, and those of a login of its that differ or are missing; null: the role has none. */
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

/** When a login got its password is its comment: roles have no other place for it that an owner may write. */
const newestQuery = `
  SELECT right(rolname, 1) AS generation FROM pg_roles WHERE rolname = ANY ($1)
   ORDER BY shobj_description(oid, 'pg_authid') DESC NULLS LAST LIMIT 1`
const newestRows = z.array(z.object({ generation: z.enum(generations) }))

const isRole = (name: string): boolean => roles.some((role) => role === name)
const loginOf = (role: string, generation: Generation): string => `${role}_${generation}`

/** `url` with another login: host, database and parameters stay. */
export function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url)
  // The setters escape what could end the password, but no per cent sign.
  changed.username = encodeURIComponent(user)
  changed.password = encodeURIComponent(password)
  return changed.href
}

/** The same database behind Neon's pooler, where the URL is Neon's: its direct host takes about a hundred connections. */
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
 * Takes from a role what would let it past the policies. Throws where it is a member of other roles than `allowed`.
 * Attributes are named only where they are wrong: an owner who is no superuser may not even deny SUPERUSER.
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

/** The migration that made the accounts' own login left them to the logins that there were, for the Worker that ran then. */
async function revokeOwnRights(client: Client, login: string): Promise<void> {
  await client.query(`REVOKE ALL ON ALL FUNCTIONS IN SCHEMA identity FROM ${login}`)
  await client.query(`REVOKE ALL ON SCHEMA identity FROM ${login}`)
}

/** A login has its role's rights by membership, and none of its own. */
async function makeLogin(client: Client, role: string, login: string, password: string): Promise<void> {
  if (!(await exists(client, login))) await client.query(`CREATE ROLE ${login} NOLOGIN`)
  await restrict(client, login, [role])
  await client.query(`GRANT ${role} TO ${login}`)
  await revokeOwnRights(client, login)
  await client.query(`ALTER ROLE ${login} LOGIN INHERIT PASSWORD ${client.escapeLiteral(password)}`)
  await client.query(`COMMENT ON ROLE ${login} IS ${client.escapeLiteral(new Date().toISOString())}`)
}

/** Settings are not inherited: both logins of a role get a copy of its settings, and lose those that it has no longer. */
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

/** Throws where a login of this generation has sessions: a Worker would lose its database with the old passwords. */
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

/** The generation that got its passwords last; null where none has. */
async function newestGeneration(client: Client): Promise<Generation | null> {
  const logins = generations.map((generation) => loginOf(apiRole, generation))
  const { rows } = await client.query(newestQuery, [logins])
  return newestRows.parse(rows)[0]?.generation ?? null
}

/**
 * Gives one generation of the Worker's three logins new passwords, random ones unless given, in one transaction. The other
 * generation stays valid. Throws where that generation has sessions, unless forced.
 * `url` is the owner's; the URLs that are returned lead through Neon's pooler.
 */
export async function bootstrap(url: string, options: BootstrapOptions = {}): Promise<LoginUrls> {
  const { apiPassword = newPassword(), jobsPassword = newPassword(), identityPassword = newPassword() } = options
  const renew = async (client: Client): Promise<Generation> => {
    for (const role of roles) await restrict(client, role, [])
    const next = options.generation ?? ((await newestGeneration(client)) === 'a' ? 'b' : 'a')
    if (options.force !== true) await refuseSessions(client, next)
    await makeLogin(client, apiRole, loginOf(apiRole, next), apiPassword)
    await makeLogin(client, jobsRole, loginOf(jobsRole, next), jobsPassword)
    await makeLogin(client, identityRole, loginOf(identityRole, next), identityPassword)
    for (const role of roles) await copySettings(client, role)
    return next
  }
  const generation = await withMigrationLock(url, async (client) => {
    await refuseOldServer(client)
    return await inTransaction(client, () => renew(client))
  })
  const urlOf = (role: string, password: string) => withLogin(pooledUrl(url), loginOf(role, generation), password)
  return {
    apiUrl: urlOf(apiRole, apiPassword),
    jobsUrl: urlOf(jobsRole, jobsPassword),
    identityUrl: urlOf(identityRole, identityPassword),
    generation,
  }
}

/** Ends every login of the Worker but the newest generation's. Returns the names of those that could log in until now. */
export async function retireLogins(url: string): Promise<string[]> {
  return await withMigrationLock(url, async (client) => {
    const newest = await newestGeneration(client)
    if (newest === null) throw new Error('There are no logins yet: run `npm run db:bootstrap` first.')
    const older = roles.flatMap((role) => [role, loginOf(role, newest === 'a' ? 'b' : 'a')])
    const { rows } = await client.query(
      'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1) AND rolcanlogin',
      [older],
    )
    const ended = z.array(z.object({ name: z.string() })).parse(rows)
    await inTransaction(client, async () => {
      for (const { name } of ended) {
        await client.query(`ALTER ROLE ${name} NOLOGIN PASSWORD NULL`)
        if (!isRole(name)) await revokeOwnRights(client, name)
      }
    })
    return ended.map(({ name }) => name)
  })
}
