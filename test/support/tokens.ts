// Valid and invalid access tokens, made without the library that checks them.
import { createHmac } from 'node:crypto'

export interface TokenParts {
  readonly secret: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

const digests: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

/** A compact JWT. The signature is empty when the header's `alg` is not an HMAC. */
export function mintToken({ secret, claims, header = { alg: 'HS256', typ: 'JWT' } }: TokenParts): string {
  const signed = `${encode(header)}.${encode(claims)}`
  const digest = digests[String(header['alg'])]
  const signature = digest === undefined ? '' : createHmac(digest, secret).update(signed).digest('base64url')
  return `${signed}.${signature}`
}

const hourSeconds = 3600

/** Claims that this deployment accepts, valid for an hour. */
export function goodClaims(subject: string): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return { iss: 'wealthnavigator-edge', sub: subject, iat: now, exp: now + hourSeconds }
}

/** An Authorization header whose token has no signature. */
export const withoutSignature = (token: string): string => `Bearer ${token.split('.').slice(0, 2).join('.')}.`

/** An Authorization header whose token ends with another signature. */
export const withOtherSignature = (token: string): string =>
  `Bearer ${token.replace(/.{8}$/, (end) => (end === 'AAAAAAAA' ? 'BBBBBBBB' : 'AAAAAAAA'))}`

/** An Authorization header whose token has other claims under the same signature. */
export function withOtherClaims(token: string, claims: Record<string, unknown>): string {
  const [header, , signature] = token.split('.')
  return `Bearer ${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
}
