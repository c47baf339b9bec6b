// An identity provider whose responses a test chooses, and the Worker's side of a sign-in with it.
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createJwksSource } from '../../../src/auth/jwks.ts'
import type { ProviderConfig } from '../../../src/config/config.ts'
import { createKeyring } from '../../../src/crypto/keyring.ts'
import type { Fetch } from '../../../src/oidc/bounded-fetch.ts'
import { createProvider, type Provider } from '../../../src/oidc/provider.ts'

export const issuer = 'https://issuer.test'
export const clientId = 'console'
export const origin = 'https://wealth.test'
const audience = 'wealth'
const kid = 'k'

type Answer = (form: URLSearchParams) => Response | Promise<Response>

export interface Scripted {
  readonly provider: Provider
  readonly calls: { readonly url: string; readonly init: RequestInit }[]
  /** Milliseconds since 1970; a test may move it. */
  clock: { nowMs: number }
  /** The responses of the endpoints. */
  answers: { document: Answer; token: Answer; revoke: Answer }
  idToken(claims?: JWTPayload, key?: CryptoKey): Promise<string>
  accessToken(claims?: JWTPayload): Promise<string>
  /** Begins a sign-in and returns what the browser then has. */
  begin(returnTo?: string): Promise<{ state: string; nonce: string; id: string; sealed: string; location: URL }>
}

export const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } })

export const document = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  end_session_endpoint: `${issuer}/logout`,
  revocation_endpoint: `${issuer}/revoke`,
  response_types_supported: ['code'],
  id_token_signing_alg_values_supported: ['RS256'],
  authorization_response_iss_parameter_supported: true,
}

export const otherKey = async (): Promise<CryptoKey> => (await generateKeyPair('RS256')).privateKey

export async function scriptedProvider(changed: Partial<ProviderConfig> = {}): Promise<Scripted> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  const clock = { nowMs: Date.now() }
  const now = () => new Date(clock.nowMs)
  const calls: { url: string; init: RequestInit }[] = []
  const sign = async (claims: JWTPayload, typ: string, key: CryptoKey): Promise<string> => {
    const seconds = Math.floor(clock.nowMs / 1000)
    return await new SignJWT({ iss: issuer, sub: 'ada', iat: seconds, exp: seconds + 600, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid, typ })
      .sign(key)
  }
  const answers: Scripted['answers'] = {
    document: () => json(document),
    token: () => json({}, 500),
    revoke: () => new Response(null),
  }
  const fetch: Fetch = async (url, init) => {
    calls.push({ url, init })
    const form = init.body instanceof URLSearchParams ? init.body : new URLSearchParams()
    const { pathname } = new URL(url)
    if (pathname === '/token') return await answers.token(form)
    return await (pathname === '/revoke' ? answers.revoke(form) : answers.document(form))
  }
  const config: ProviderConfig = {
    issuer,
    clientId,
    clientSecret: 'a secret of tests',
    scope: 'openid offline_access',
    parameters: {},
    origin,
    endpoints: null,
    ...changed,
  }
  const provider = createProvider({
    config,
    strict: true,
    auth: {
      mode: 'oidc',
      issuer,
      audience,
      jwks: createJwksSource({ url: `${issuer}/jwks`, fetch: () => Promise.resolve(json({ keys: [jwk] })) }),
      rules: { scopeClaim: null, writeScope: null, admin: { claim: 'role', value: 'admin' } },
      longestSeconds: 3600,
    },
    keyring: createKeyring({ current: { id: 'k1', secret: crypto.getRandomValues(new Uint8Array(32)) } }),
    fetch,
    now,
  })
  return {
    provider,
    calls,
    clock,
    answers,
    idToken: (claims = {}, key = privateKey) => sign({ aud: clientId, ...claims }, 'JWT', key),
    accessToken: (claims = {}) => sign({ aud: audience, ...claims }, 'at+jwt', privateKey),
    async begin(returnTo) {
      const { location, id, sealed } = await provider.begin(returnTo ?? null)
      const url = new URL(location)
      const [state, nonce] = [url.searchParams.get('state') ?? '', url.searchParams.get('nonce') ?? '']
      return { state, nonce, id, sealed, location: url }
    },
  }
}
