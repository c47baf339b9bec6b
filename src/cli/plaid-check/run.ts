// The connection test of Plaid.
import { type CheckOptions, type CheckReport, runChecks } from '../lib/checks.ts'
import { redactor } from '../lib/redacted.ts'
import { accountChecks } from './account.ts'
import { linkChecks } from './link.ts'
import { type PlaidPorts, plaidPorts, type PlaidSettings } from './ports.ts'

export const plaidChecks = [...accountChecks, ...linkChecks]

/** @throws Error if the base URL of the settings is neither Plaid's nor on this machine */
export function checkPlaid(
  settings: PlaidSettings,
  { ports = {}, ...options }: CheckOptions & { readonly ports?: Partial<PlaidPorts> } = {},
): Promise<CheckReport> {
  const redact = redactor([settings.secret, settings.clientId])
  return runChecks(plaidChecks, { ...plaidPorts(settings), ...ports }, { redact, ...options })
}
