// A real identity provider on this machine: oidc-provider, a certified implementation that others wrote.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { generateKeyPairSync } from 'node:crypto'
import { Provider } from 'oidc-provider'

export const audience = 'urn:wealth:api'
export const clientId = 'console'
const clientSecret = 'console-client-secret-of-tests-9b1c7f'

export interface IdentityProvider {
  readonly issuer: string
  /** Variables of a Worker that trusts it and signs in with it. */
  readonly variables: Readonly<Record<string, string>>
  /** Requests that a browser or the Worker sent, as method and path. */
  readonly requests: readonly string[]
  /** Tokens and codes that it has issued. */
  readonly issued: readonly string[]
  /** Registers the console. Call it once the console's address is known. */
  register(origin: string): void
  stop(): Promise<void>
}

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><title>${title}</title><main><h1>${title}</h1>${body}</main></html>`

const loginPage = page(
  'Test provider',
  '<form method="post"><label>Name <input name="name"></label><button name="answer" value="allow">Continue</button><button name="answer" value="deny">Refuse</button></form>',
)

function configuration(origin: string, isPublic: boolean): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    clients: [
      {
        client_id: clientId,
        ...(isPublic ? {} : { client_secret: clientSecret }),
        token_endpoint_auth_method: isPublic ? 'none' : 'client_secret_basic',
        redirect_uris: [`${origin}/console/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'test' }] },
    cookies: { keys: ['a key of tests'] },
    pkce: { required: () => true },
    scopes: ['openid', 'offline_access'],
    rotateRefreshToken: true,
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context: { body: string }, form: string) => {
          context.body = page('Sign out', `${form}<button form="op.logoutForm" name="logout" value="yes">Yes</button>`)
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'write',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  }
}

/** Asks for a name alone: the person who gives one is signed in under it. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response)
  const isConsent = prompt.name === 'consent' && session !== undefined
  if (isConsent) {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
    grant.addOIDCScope('openid offline_access')
    grant.addResourceScope(audience, 'write')
    const grantId = await grant.save()
    return await provider.interactionFinished(
      request,
      response,
      { consent: { grantId } },
      { mergeWithLastSubmission: true },
    )
  }
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(loginPage)
    return
  }
  const form = new URLSearchParams(await text(request))
  const result =
    form.get('answer') === 'deny'
      ? { error: 'access_denied', error_description: 'The person refused.' }
      : { login: { accountId: form.get('name') ?? '' } }
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
}

/** @param isPublic without a client secret */
export async function startIdentityProvider({ isPublic = false } = {}): Promise<IdentityProvider> {
  let provider: Provider | null = null
  const requests: string[] = []
  const issued: string[] = []
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://provider.invalid')
    requests.push(`${request.method} ${pathname}`)
    const running = provider
    if (running === null) return void response.writeHead(503).end()
    const work = pathname.startsWith('/interaction/')
      ? interact(running, request, response)
      : running.callback()(request, response)
    work.catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The provider has no port.')
  const issuer = `http://127.0.0.1:${address.port}`
  return {
    issuer,
    requests,
    issued,
    variables: {
      AUTH_MODE: 'oidc',
      AUTH_ISSUER: issuer,
      AUTH_AUDIENCE: audience,
      AUTH_JWKS_URL: `${issuer}/jwks`,
      AUTH_WRITE_SCOPE: 'write',
      CONSOLE_OIDC_CLIENT_ID: clientId,
      ...(isPublic ? {} : { CONSOLE_OIDC_CLIENT_SECRET: clientSecret }),
      CONSOLE_OIDC_PARAMETERS: JSON.stringify({ resource: audience, prompt: 'consent' }),
      CONSOLE_DEMO_USER: '',
      CONSOLE_DEMO_OPERATOR: '',
    },
    register(origin) {
      provider = new Provider(issuer, configuration(origin, isPublic))
      for (const event of ['access_token.issued', 'authorization_code.saved', 'refresh_token.saved'])
        provider.on(event, (token) => {
          if (typeof token === 'object' && token !== null && 'jti' in token && typeof token.jti === 'string')
            issued.push(token.jti)
        })
    },
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
