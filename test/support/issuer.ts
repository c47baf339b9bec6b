// An identity provider for tests: publishes keys over HTTP and signs valid and invalid tokens, without the library that
// checks them.
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { createServer } from 'node:http'

export const audience = 'wealth'
export const issuerName = 'https://issuer.test'
const lifeSeconds = 600

export interface TokenFaults {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Signs the signing input; by default with the published RSA key. */
  readonly sign?: (input: string) => Buffer
}

export interface Issuer {
  /** Variables of a Worker that trusts this issuer. */
  readonly variables: Readonly<Record<string, string>>
  /** The number of requests for the keys. */
  requests(): number
  token(subject: string, faults?: TokenFaults): string
  /** The published key in the forms that an attacker can use. */
  readonly publicKey: { readonly pem: string; readonly der: Buffer; readonly jwk: string; readonly modulus: string }
  stop(): Promise<void>
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Signs with RSASSA-PKCS1-v1_5. */
export const withRsa = (key: KeyObject, hash: 'sha256' | 'sha384' | 'sha512') => (input: string) =>
  sign(hash, Buffer.from(input), key)

/** Signs with HMAC-SHA-256, like an attacker who has the public key but no private key. */
export const withHmac = (secret: string | Buffer) => (input: string) =>
  createHmac('sha256', secret).update(input).digest()

export const newRsaKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })

export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = newRsaKey()
  const kid = randomUUID()
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
  let requests = 0
  const server = createServer((_request, response) => {
    requests += 1
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The issuer has no port.')
  const url = `http://127.0.0.1:${address.port}`
  const token: Issuer['token'] = (
    subject,
    { claims = {}, header = {}, sign: signer = withRsa(privateKey, 'sha256') } = {},
  ) => {
    const now = Math.floor(Date.now() / 1000)
    const good = { iss: issuerName, aud: audience, sub: subject, iat: now, exp: now + lifeSeconds }
    const input = `${encode({ alg: 'RS256', typ: 'JWT', kid, ...header })}.${encode({ ...good, ...claims })}`
    return `${input}.${signer(input).toString('base64url')}`
  }
  return {
    variables: {
      AUTH_MODE: 'oidc',
      AUTH_ISSUER: issuerName,
      AUTH_AUDIENCE: audience,
      AUTH_JWKS_URL: `${url}/jwks.json`,
    },
    requests: () => requests,
    token,
    publicKey: {
      pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      der: publicKey.export({ type: 'spki', format: 'der' }),
      jwk: JSON.stringify(jwk),
      modulus: String(jwk.n),
    },
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}
