// Keyed pseudonyms for log lines: they link the lines of one person or network without revealing who it is. Only
// holders of SECRET_KEY can compute them, with `npm run pseudonym`.
import { authenticatorFor } from '../crypto/derived-key.ts'
import { encodeBase64Url } from '../crypto/encoding.ts'

export interface Pseudonyms {
  /** The pseudonym of a user, by issuer and subject. */
  readonly user: (identity: { readonly issuer: string; readonly subject: string }) => Promise<string>
  /** The pseudonym of a built-in account, by its e-mail address in lower case. */
  readonly account: (email: string) => Promise<string>
  /**
   * The pseudonym of a client's network (/24 or /48). Changes each UTC day, so that it cannot link lines of two days.
   */
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
