// The console's sign-in with an identity provider: its constraints and its configuration.
import { providerUrls } from './provider-variables.ts'
import type { Environment, Violation } from './variables.ts'

/** The console's client at the provider, and the provider's addresses where they do not come from its document. */
export interface ProviderConfig {
  readonly issuer: string
  readonly clientId: string
  /** Null for a public client, which PKCE alone protects. */
  readonly clientSecret: string | null
  /** Separated by spaces. */
  readonly scope: string
  /** More parameters of the authorization request, such as `audience` or `resource`. */
  readonly parameters: Readonly<Record<string, string>>
  /** The console's own origin. */
  readonly origin: string
  /** Null: they are in the provider's document. */
  readonly endpoints: {
    readonly authorization: string
    readonly token: string
    readonly endSession: string | null
    readonly revocation: string | null
  } | null
}

/** The path to which the provider sends people back. Register it there. */
export const callbackPath = '/console/callback'

const names = [
  'CONSOLE_OIDC_CLIENT_ID',
  'CONSOLE_OIDC_CLIENT_SECRET',
  'CONSOLE_OIDC_SCOPES',
  'CONSOLE_OIDC_PARAMETERS',
  ...providerUrls,
] as const

export function providerViolations(env: Environment, mode: 'oidc' | 'builtin'): Violation[] {
  const given = names.filter((name) => env[name] !== undefined)
  if (mode === 'builtin') return given.map((name) => [name, 'is for AUTH_MODE=oidc'])
  const violations: Violation[] = []
  const [first] = given
  if (first !== undefined && env.CONSOLE_OIDC_CLIENT_ID === undefined)
    violations.push(['CONSOLE_OIDC_CLIENT_ID', `is missing: ${first} is about the console's client`])
  // With an address from a variable, no document is read, so that the others are needed too.
  const urls = providerUrls.filter((name) => env[name] !== undefined)
  for (const name of ['CONSOLE_OIDC_AUTHORIZATION_URL', 'CONSOLE_OIDC_TOKEN_URL'] as const)
    if (urls.length > 0 && env[name] === undefined)
      violations.push([name, 'is missing: the addresses of the provider must be set together'])
  return violations
}

/** Access that lasts, and where changes need a scope, that scope. */
const defaultScopes = ({ AUTH_WRITE_SCOPE: write }: Environment): string[] => [
  'openid',
  'offline_access',
  ...(write === undefined || write === '*' ? [] : [write]),
]

/** Null without a client: then no user can sign in to the console. */
export function providerOf(env: Environment, origin: string): ProviderConfig | null {
  const { AUTH_ISSUER: issuer, CONSOLE_OIDC_CLIENT_ID: clientId } = env
  if (issuer === undefined || clientId === undefined) return null
  const { CONSOLE_OIDC_AUTHORIZATION_URL: authorization, CONSOLE_OIDC_TOKEN_URL: token } = env
  return {
    issuer,
    clientId,
    clientSecret: env.CONSOLE_OIDC_CLIENT_SECRET ?? null,
    scope: [...new Set(env.CONSOLE_OIDC_SCOPES ?? defaultScopes(env))].join(' '),
    parameters: env.CONSOLE_OIDC_PARAMETERS ?? {},
    origin,
    endpoints:
      authorization === undefined || token === undefined
        ? null
        : {
            authorization,
            token,
            endSession: env.CONSOLE_OIDC_END_SESSION_URL ?? null,
            revocation: env.CONSOLE_OIDC_REVOCATION_URL ?? null,
          },
  }
}
