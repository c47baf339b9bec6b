// Keyed pseudonyms for log lines: they link the lines of one person or network without revealing who it is. Only
// holders of SECRET_KEY can compute them; `npm run pseudonym` does.
import { authenticatorFor } from '../crypto/derived-key.ts'
import { encodeBase64Url } from '../crypto/encoding.ts'

export interface Pseudonyms {
  /** Of a user, by issuer and subject. */
  readonly user: (identity: { readonly issuer: string; readonly subject: string }) => Promise<string>
  /** Of a built-in account, by its e-mail address in lower case. */
  readonly account: (email: string) => Promise<string>
  /** Of a client's network (/24 or /48); changes each UTC day, so that lines of two days cannot be linked by it. */
  readonly network: (network: string, at: Date) => Promise<string>
}

/** 96 bits make a collision unlikely among a billion people. */
const bytes = 12

export function createPseudonyms(secret: Uint8Array): Pseudonyms {
  const authenticate = authenticatorFor(secret, 'log-pseudonym')
  const nameOf = async (...fields: readonly string[]): Promise<string> =>
    encodeBase64Url((await authenticate(fields)).slice(0, bytes))
  return {
    user: ({ issuer, subject }) => nameOf('user', issuer, subject),
    account: (email) => nameOf('account', email),
    network: (network, at) => nameOf('network', at.toISOString().slice(0, 10), network),
  }
}
