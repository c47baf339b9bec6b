// Owns turning the two roles that the migrations made into logins. Made by SQL, since roles made in Neon's console
// inherit BYPASSRLS; never leaves a login that could pass the row-level policies by.
import { randomBytes } from 'node:crypto'
import type { Client } from 'pg'
import * as z from 'zod'
import { withMigrationLock } from './migrate.ts'

export const API_ROLE = 'wn_api'
export const JOBS_ROLE = 'wn_jobs'

export interface Passwords {
  apiPassword?: string
  jobsPassword?: string
}

export interface LoginUrls {
  apiUrl: string
  jobsUrl: string
}

const DENIALS = new Map([
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

const ROLE_QUERY = `
  SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
         ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
           AS member_of
    FROM pg_roles r WHERE rolname = $1`

/** `url` with another login: host, database and parameters stay. */
export function withLogin(url: string, user: string, password: string): string {
  const changed = new URL(url)
  // The setters escape what could end the password, but no per cent sign.
  changed.username = encodeURIComponent(user)
  changed.password = encodeURIComponent(password)
  return changed.href
}

/** 192 random bits that need no escaping in a URL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Gives `role` a password and LOGIN, and takes what would let it past the policies. Attributes are named only where
 * they are wrong: an owner who is no superuser may not even deny somebody SUPERUSER.
 */
async function makeLogin(client: Client, role: string, password: string): Promise<void> {
  const found = await client.query(ROLE_QUERY, [role])
  if (found.rowCount === 0) throw new Error(`The role ${role} is missing: run \`npm run db:migrate\` first.`)
  const { member_of: memberOf, ...attributes } = roleSchema.parse(found.rows[0])
  if (memberOf.length > 0) {
    throw new Error(`${role} is a member of ${memberOf.join(', ')} and has their rights: REVOKE that and try again.`)
  }
  const denied = Object.entries(attributes).flatMap(([name, held]) => (held ? [DENIALS.get(name) ?? ''] : []))
  await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${client.escapeLiteral(password)} ${denied.join(' ')}`)
}

/** Makes the Worker's two logins, or gives them new passwords; random ones unless given. `url` is the owner's. */
export async function bootstrap(url: string, passwords: Passwords = {}): Promise<LoginUrls> {
  const { apiPassword = newPassword(), jobsPassword = newPassword() } = passwords
  await withMigrationLock(url, async (client) => {
    await makeLogin(client, API_ROLE, apiPassword)
    await makeLogin(client, JOBS_ROLE, jobsPassword)
  })
  return { apiUrl: withLogin(url, API_ROLE, apiPassword), jobsUrl: withLogin(url, JOBS_ROLE, jobsPassword) }
}
