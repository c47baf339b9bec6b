// The console's client at the provider: the authorization request, tokens for a code and for a refresh token, their end.
import * as z from 'zod'
import { callbackPath, type ProviderConfig } from '../config/config.ts'
import { sha256 } from '../crypto/digest.ts'
import { encodeBase64, encodeBase64Url, utf8 } from '../crypto/encoding.ts'
import type { Ask } from './bounded-fetch.ts'
import { failureOfCode, SignInFailed } from './failure.ts'
import type { Metadata } from './metadata.ts'

const tokensSchema = z
  .object({
    access_token: z.string().min(1),
    token_type: z.string().regex(/^bearer$/i),
    refresh_token: z.string().min(1).optional(),
    id_token: z.string().min(1).optional(),
  })
  .transform((given) => ({
    accessToken: given.access_token,
    refreshToken: given.refresh_token ?? null,
    idToken: given.id_token ?? null,
  }))
export type Tokens = z.output<typeof tokensSchema>

const errorSchema = z.object({ error: z.string() })

/** The secrets of one sign-in. */
export interface Attempt {
  readonly state: string
  readonly nonce: string
  /** Of PKCE (RFC 7636). */
  readonly verifier: string
}

export interface ClientOptions {
  readonly config: ProviderConfig
  readonly ask: Ask
  readonly metadata: () => Promise<Metadata>
}

export interface OidcClient {
  authorizationUrl(attempt: Attempt): Promise<string>
  /** Redeems the code of a callback, whose `state` was checked. @throws SignInFailed, as the other requests */
  redeem(callback: URLSearchParams, attempt: Attempt): Promise<Tokens>
  refresh(token: string): Promise<Tokens>
  /** Ends a refresh token at the provider, if the provider can (RFC 7009). */
  revoke(token: string): Promise<void>
  /** The provider's page that ends its own session (RP-Initiated Logout); null if it has none. */
  endSessionUrl(idToken: string | null): Promise<string | null>
}

/** RFC 6749 §2.3.1: as a form encodes it. */
const formEncoded = (text: string): string => new URLSearchParams({ x: text }).toString().slice(2)

/** The code, if the callback is this provider's (RFC 9207: no other provider's code is sent to this one). */
function codeIn(callback: URLSearchParams, server: Metadata): string {
  const iss = callback.get('iss')
  const isPromised = server.authorization_response_iss_parameter_supported === true
  if (iss === null ? isPromised : iss !== server.issuer)
    throw new SignInFailed('provider', 'the callback is not of the configured issuer')
  const error = callback.get('error')
  if (error !== null) throw failureOfCode(error)
  const code = callback.get('code')
  if (code === null || code === '') throw new SignInFailed('provider', 'the callback has no code')
  return code
}

export function createOidcClient({ config, ask, metadata }: ClientOptions): OidcClient {
  const { clientId, clientSecret, origin, parameters } = config
  const redirectUri = `${origin}${callbackPath}`
  /** RFC 8707 §2.2: the access token is for this resource alone. */
  const resource: Record<string, string> =
    parameters['resource'] === undefined ? {} : { resource: parameters['resource'] }

  /** A form, with the authentication that the provider wants. The header is what RFC 6749 §2.3.1 prefers. */
  async function post(url: string, { token_endpoint_auth_methods_supported: methods }: Metadata, form: object) {
    const body = new URLSearchParams({ ...form })
    const headers: Record<string, string> = {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const isPost = methods?.includes('client_secret_post') === true && !methods.includes('client_secret_basic')
    if (clientSecret === null || isPost) body.set('client_id', clientId)
    if (clientSecret !== null && isPost) body.set('client_secret', clientSecret)
    if (clientSecret !== null && !isPost)
      headers['authorization'] = `Basic ${encodeBase64(utf8(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`))}`
    const answer = await ask(url, { method: 'POST', headers, body })
    if (answer.status === 200) return answer.body
    const failed = errorSchema.safeParse(answer.body)
    throw failed.success && answer.status < 500
      ? failureOfCode(failed.data.error)
      : new SignInFailed('provider', `the provider answered with status ${answer.status}`)
  }

  async function tokens(form: object): Promise<Tokens> {
    const server = await metadata()
    const parsed = tokensSchema.safeParse(await post(server.token_endpoint, server, { ...form, ...resource }))
    if (!parsed.success) throw new SignInFailed('provider', "the provider's response has no bearer token")
    return parsed.data
  }

  return {
    async authorizationUrl({ state, nonce, verifier }) {
      const url = new URL((await metadata()).authorization_endpoint)
      const given = {
        ...parameters,
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: config.scope,
        state,
        nonce,
        code_challenge: encodeBase64Url(await sha256(utf8(verifier))),
        code_challenge_method: 'S256',
      }
      for (const [name, value] of Object.entries(given)) url.searchParams.set(name, value)
      return url.href
    },
    async redeem(callback, { verifier }) {
      const code = codeIn(callback, await metadata())
      const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
      return await tokens(grant)
    },
    refresh: (token) => tokens({ grant_type: 'refresh_token', refresh_token: token }),
    async revoke(token) {
      const server = await metadata()
      const { revocation_endpoint: url } = server
      if (url !== undefined) await post(url, server, { token, token_type_hint: 'refresh_token' })
    },
    async endSessionUrl(idToken) {
      const { end_session_endpoint: address } = await metadata()
      if (address === undefined) return null
      const url = new URL(address)
      url.searchParams.set('client_id', clientId)
      url.searchParams.set('post_logout_redirect_uri', `${origin}/`)
      if (idToken !== null) url.searchParams.set('id_token_hint', idToken)
      return url.href
    },
  }
}
