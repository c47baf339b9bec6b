// The scopes of API keys, and of the tokens that are issued with one: a closed list. A key may do what its scopes name
// and nothing else.

/** What a key may do for a user. */
export const userScopes = ['read', 'write', 'link'] as const
/** What a key of an application may do for the application itself, without a user. */
export const applicationScopes = ['webhooks'] as const
/** What a key of an application may do without a user, on the routes for administrators. */
export const adminScopes = ['admin:read', 'admin:write', 'admin:metrics'] as const
export const keyScopes = [...userScopes, ...applicationScopes, ...adminScopes] as const

export type UserScope = (typeof userScopes)[number]
export type ApplicationScope = (typeof applicationScopes)[number]
export type KeyScope = (typeof keyScopes)[number]

const names: ReadonlySet<string> = new Set(keyScopes)
export const isKeyScope = (name: string): name is KeyScope => names.has(name)

const ofUsers: ReadonlySet<string> = new Set(userScopes)
export const isUserScope = (name: string): name is UserScope => ofUsers.has(name)

const ofAdministrators: ReadonlySet<string> = new Set(adminScopes)
export const isAdminScope = (name: string): boolean => ofAdministrators.has(name)
