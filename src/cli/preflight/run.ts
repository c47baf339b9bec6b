// Everything that must be in order before a deployment, the quick checks first. `deploy` runs it and stops at a failure.
import { type CheckOptions, type CheckReport, runChecks } from '../lib/checks.ts'
import type { DeployedEnvironment } from '../lib/deployed-config.ts'
import { secretTextsOf } from '../lib/deployment-values.ts'
import { redactor } from '../lib/redacted.ts'
import { codeChecks } from './code.ts'
import { databaseChecks } from './database.ts'
import { type PortOptions, preflightPorts } from './ports.ts'
import { settingChecks } from './settings.ts'
import { storedChecks } from './stored.ts'

export type PreflightReport = CheckReport

export interface PreflightOptions extends PortOptions, Omit<CheckOptions, 'redact'> {}

export const preflightChecks = [...settingChecks, ...databaseChecks, ...storedChecks, ...codeChecks]

/** @throws Error if wrangler.toml or the secrets file cannot be read */
export async function runPreflight(
  environment: DeployedEnvironment,
  { onResult, signal, ...options }: PreflightOptions = {},
): Promise<PreflightReport> {
  const ports = await preflightPorts(environment, options)
  const owner = ports.shell['MIGRATE_DATABASE_URL']
  const texts = secretTextsOf({ ...ports.secrets, ...(owner ? { MIGRATE_DATABASE_URL: owner } : {}) })
  return await runChecks(preflightChecks, ports, {
    redact: redactor(texts),
    ...(onResult === undefined ? {} : { onResult }),
    ...(signal === undefined ? {} : { signal }),
  })
}
