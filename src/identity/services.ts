// The services of built-in accounts. Created at the first use.
import type { Config, EmailConfig } from '../config/config.ts'
import { connect, type IdentityDatabase } from '../db/core/client.ts'
import { AppError } from '../errors.ts'
import { type SendMail, sendOverHttp, writeToLog } from './mail.ts'
import { createPasswordHasher, type PasswordHasher } from './password.ts'
import { scrypt } from './scrypt.ts'
import { inTurns } from './scrypt-turns.ts'

export interface IdentityServices {
  /** The only database login with access to accounts. */
  readonly database: IdentityDatabase
  readonly passwords: PasswordHasher
  readonly sendMail: SendMail
  /**
   * Least duration of a request for an e-mail, sent or not, so that the time does not reveal whether an account exists.
   */
  readonly leastMailMs: number
  /** Limit of the deployment on e-mails that anyone can request. */
  readonly mailsPerHour: number
  /** Limit of the deployment on password hashes for unknown clients. */
  readonly hashesPerMinute: number
  /** Signs access tokens; keys for other purposes are derived from it. */
  readonly secret: Uint8Array
  /** Recognizes what was derived from it before a rotation; null outside one. */
  readonly previousSecret: Uint8Array | null
}

/** Most e-mail APIs respond faster. */
const leastMailMs = 1000

type BuiltinAuth = Extract<Config['auth'], { mode: 'builtin' }>

const senderOf = (email: EmailConfig | null): SendMail =>
  email === null ? writeToLog : sendOverHttp(email, (input, init) => fetch(input, init))

/**
 * @param secrets `SECRET_KEY` and `SECRET_KEY_PREVIOUS`
 * @param endpoint URL of a local Neon endpoint; null for Neon itself
 */
export function createIdentityServices(
  { databaseUrl, email, mailsPerHour, hashesPerMinute }: BuiltinAuth,
  secrets: Pick<IdentityServices, 'secret' | 'previousSecret'>,
  endpoint: string | null,
): IdentityServices {
  return {
    database: connect('wn_identity', databaseUrl, endpoint),
    passwords: createPasswordHasher(inTurns(scrypt)),
    sendMail: senderOf(email),
    leastMailMs: email === null ? 0 : leastMailMs,
    mailsPerHour,
    hashesPerMinute,
    ...secrets,
  }
}

interface Services {
  readonly identity: (() => Promise<IdentityServices>) | null
}

/** @throws AppError `not_found` if an OIDC issuer authenticates users */
export async function identityServices({ identity }: Services): Promise<IdentityServices> {
  if (identity === null) throw new AppError('not_found', 'There is no such path.')
  return await identity()
}

/** @throws AppError `not_found` if an OIDC issuer authenticates users */
export async function identityDatabase(services: Services): Promise<IdentityDatabase> {
  const { database } = await identityServices(services)
  return database
}
