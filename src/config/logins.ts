// The Worker's database logins, and their constraints.
import { authModeOf, type Violation, type Environment } from './variables.ts'

/** The login of built-in accounts is missing; no other login may call their functions. */
export const identityUrlMissing: Violation = [
  'DATABASE_IDENTITY_URL',
  'is missing: built-in accounts need a login of their own, as db:bootstrap prints it',
]

const loginOf = (url: string): string => decodeURIComponent(URL.parse(url)?.username ?? '')

interface DatabaseLogin {
  readonly variable: string
  readonly url: string
  readonly role: string
}

/** Whether the Worker itself makes backups. */
export const makesBackups = ({ BACKUP_RECIPIENT: recipients }: Environment): boolean => (recipients ?? []).length > 0

/** The logins in use. A URL that the configuration does not need may be set, and is ignored. */
function loginsOf(env: Environment): readonly DatabaseLogin[] {
  const { DATABASE_IDENTITY_URL: identityUrl, DATABASE_BACKUP_URL: backupUrl } = env
  return [
    { variable: 'DATABASE_URL', url: env.DATABASE_URL, role: 'wn_api' },
    { variable: 'DATABASE_JOBS_URL', url: env.DATABASE_JOBS_URL, role: 'wn_jobs' },
    ...(authModeOf(env) === 'builtin' && identityUrl !== undefined
      ? [{ variable: 'DATABASE_IDENTITY_URL', url: identityUrl, role: 'wn_identity' }]
      : []),
    ...(makesBackups(env) && backupUrl !== undefined
      ? [{ variable: 'DATABASE_BACKUP_URL', url: backupUrl, role: 'wn_backup' }]
      : []),
  ]
}

/** Each role needs a separate login; a shared one would have both roles' rights. */
export function sharedLoginViolations(env: Environment): Violation[] {
  const logins = loginsOf(env).map(({ variable, url }) => ({ variable, login: loginOf(url) }))
  return logins.flatMap(({ variable, login }, index): Violation[] => {
    const same = logins.slice(0, index).find((other) => other.login === login)
    return same === undefined ? [] : [[variable, `must be another login than ${same.variable}`]]
  })
}

/**
 * Requires logins that `db:bootstrap` created. The owner, or a role from Neon's console, may bypass row-level security.
 */
export function loginViolations(env: Environment): Violation[] {
  return loginsOf(env).flatMap(({ variable, url, role }): Violation[] => {
    const login = loginOf(url)
    const sslmode = URL.parse(url)?.searchParams.get('sslmode') ?? ''
    const violations: Violation[] = []
    if (login !== role && !login.startsWith(`${role}_`))
      violations.push([variable, `must be a login of ${role}, as db:bootstrap prints it`])
    if (!['require', 'verify-ca', 'verify-full'].includes(sslmode))
      violations.push([variable, 'must say sslmode=require'])
    return violations
  })
}
