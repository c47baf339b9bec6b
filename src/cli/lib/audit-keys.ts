// The audit keys of a command, from the Worker's variables.
import { type AuditKeys, createAuditKeys } from '../../audit/keys.ts'
import { parseAuditKeys } from '../../config/config.ts'
import { misuse } from '../../dev/lib/run-command.ts'
import { AppError } from '../../errors.ts'

/** Throws a misuse that names the wrong variables, never their values. */
export function auditKeysOf(environment: NodeJS.ProcessEnv): AuditKeys {
  try {
    return createAuditKeys(parseAuditKeys(environment))
  } catch (error) {
    throw error instanceof AppError && error.reason !== undefined ? misuse(`${error.reason}.`) : error
  }
}
