// What the verbs of built-in accounts work with, beside the services. Made when the first of them is asked for.
import type { Config, EmailConfig } from '../config.ts'
import type { Ctx } from '../context.ts'
import { AppError } from '../errors.ts'
import { type SendMail, sendOverHttp, writeToLog } from './mail.ts'
import { createPasswordHasher, type PasswordHasher } from './password.ts'
import { scrypt } from './scrypt.ts'

export interface IdentityTools {
  readonly passwords: PasswordHasher
  readonly sendMail: SendMail
  /** Signs access tokens. */
  readonly secret: Uint8Array
}

type BuiltinAuth = Extract<Config['auth'], { mode: 'builtin' }>

const senderOf = (email: EmailConfig | null): SendMail =>
  email === null ? writeToLog : sendOverHttp(email, (input, init) => fetch(input, init))

export function createIdentityTools({ secret, email }: BuiltinAuth): IdentityTools {
  return { passwords: createPasswordHasher(scrypt), sendMail: senderOf(email), secret }
}

/** @throws AppError `not_found` where an OIDC issuer vouches for users */
export async function toolsOf({ identity }: Ctx['services']): Promise<IdentityTools> {
  if (identity === null) throw new AppError('not_found', 'There is no such path.')
  return await identity()
}
