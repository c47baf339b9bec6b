// What the use cases of built-in accounts work with, beside the other services. Made when the first of them is asked
// for.
import type { Config, EmailConfig } from '../config/config.ts'
import { connect, type IdentityDatabase } from '../db/core/client.ts'
import { AppError } from '../errors.ts'
import { type SendMail, sendOverHttp, writeToLog } from './mail.ts'
import { createPasswordHasher, type PasswordHasher } from './password.ts'
import { scrypt } from './scrypt.ts'
import { inTurns } from './scrypt-turns.ts'

export interface IdentityServices {
  /** The only login that reaches the accounts. */
  readonly database: IdentityDatabase
  readonly passwords: PasswordHasher
  readonly sendMail: SendMail
  /** A mail that anybody can ask for takes so long at least, sent or not: its time must not tell who has an account. */
  readonly leastMailMs: number
  /** Mails of the whole deployment that anybody can ask for. */
  readonly mailsPerHour: number
  /** Password hashes for unknown clients of the whole deployment. */
  readonly hashesPerMinute: number
  /** Signs access tokens; keys for other purposes are derived from it. */
  readonly secret: Uint8Array
}

/** Most mail APIs answer sooner. */
const leastMailMs = 1000

type BuiltinAuth = Extract<Config['auth'], { mode: 'builtin' }>

const senderOf = (email: EmailConfig | null): SendMail =>
  email === null ? writeToLog : sendOverHttp(email, (input, init) => fetch(input, init))

/**
 * @param secret `SECRET_KEY`
 * @param endpoint URL of a local Neon endpoint; null for Neon itself
 */
export function createIdentityServices(
  { databaseUrl, email, mailsPerHour, hashesPerMinute }: BuiltinAuth,
  secret: Uint8Array,
  endpoint: string | null,
): IdentityServices {
  return {
    database: connect('wn_identity', databaseUrl, endpoint),
    passwords: createPasswordHasher(inTurns(scrypt)),
    sendMail: senderOf(email),
    leastMailMs: email === null ? 0 : leastMailMs,
    mailsPerHour,
    hashesPerMinute,
    secret,
  }
}

interface Services {
  readonly identity: (() => Promise<IdentityServices>) | null
}

/** @throws AppError `not_found` where an OIDC issuer vouches for users */
export async function identityServices({ identity }: Services): Promise<IdentityServices> {
  if (identity === null) throw new AppError('not_found', 'There is no such path.')
  return await identity()
}

/** @throws AppError `not_found` where an OIDC issuer vouches for users */
export async function identityDatabase(services: Services): Promise<IdentityDatabase> {
  const { database } = await identityServices(services)
  return database
}
