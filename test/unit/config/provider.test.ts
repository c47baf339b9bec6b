// The configuration of the console's sign-in with an identity provider.
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../src/config/config.ts'
import { development, noEmail, oidc, refusalOf, strict, strictOidc } from './variables.ts'

const withIssuer = { ...strict, ...noEmail, ...strictOidc }
const client = { ...withIssuer, CONSOLE_OIDC_CLIENT_ID: 'console' }

describe("the console's client at the provider", () => {
  it('asks for a lasting session and for the scope of changes, and may ask for other scopes', () => {
    const scopeOf = (changed: object) => parseConfig({ ...client, ...changed }).console?.provider?.scope
    expect(scopeOf({ AUTH_WRITE_SCOPE: 'wealth:write' })).toBe('openid offline_access wealth:write')
    expect(scopeOf({ AUTH_WRITE_SCOPE: '*' })).toBe('openid offline_access')
    expect(scopeOf({ CONSOLE_OIDC_SCOPES: 'openid, profile' })).toBe('openid profile')
  })

  it('is a public one without a secret, and does not exist without an id', () => {
    expect(parseConfig(client).console?.provider).toMatchObject({
      clientId: 'console',
      clientSecret: null,
      endpoints: null,
    })
    expect(parseConfig(withIssuer).console?.provider).toBeNull()
    expect(parseConfig({ ...client, CONSOLE: 'off' }).console).toBeNull()
  })

  it.each<[string, Record<string, string>, string]>([
    ['scopes without openid', { CONSOLE_OIDC_SCOPES: 'profile' }, 'CONSOLE_OIDC_SCOPES must contain openid'],
    [
      'a parameter that the Worker sets',
      { CONSOLE_OIDC_PARAMETERS: '{"redirect_uri":"https://evil.test"}' },
      'CONSOLE_OIDC_PARAMETERS must be',
    ],
    ['parameters that are no JSON', { CONSOLE_OIDC_PARAMETERS: 'audience=x' }, 'CONSOLE_OIDC_PARAMETERS must be'],
    [
      'one endpoint alone',
      { CONSOLE_OIDC_TOKEN_URL: 'https://issuer.test/token' },
      'CONSOLE_OIDC_AUTHORIZATION_URL is missing',
    ],
    [
      'an endpoint over http',
      { CONSOLE_OIDC_TOKEN_URL: 'http://issuer.test/t', CONSOLE_OIDC_AUTHORIZATION_URL: 'https://issuer.test/a' },
      'CONSOLE_OIDC_TOKEN_URL must be an https URL',
    ],
    [
      'an example secret',
      { CONSOLE_OIDC_CLIENT_SECRET: 'change-me-please-0123' },
      'CONSOLE_OIDC_CLIENT_SECRET is an example value',
    ],
    [
      'a secret without an id',
      { CONSOLE_OIDC_CLIENT_ID: '', CONSOLE_OIDC_CLIENT_SECRET: 'b7c9d1e3f5' },
      'CONSOLE_OIDC_CLIENT_ID is missing',
    ],
  ])('is refused with %s', (_what, changed, said) => {
    expect(refusalOf({ ...client, ...changed })).toContain(said)
  })

  it('is refused with built-in accounts, where it would have no effect', () => {
    expect(refusalOf({ ...development, CONSOLE_OIDC_CLIENT_ID: 'console' })).toBe(
      'CONSOLE_OIDC_CLIENT_ID is for AUTH_MODE=oidc',
    )
    expect(refusalOf({ ...development, ...oidc, CONSOLE_OIDC_CLIENT_ID: 'console' })).toBeNull()
  })
})
