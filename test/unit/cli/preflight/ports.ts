// The ports of a preflight that passes, for tests that change one of them.
import type { CommandOutcome, PreflightPorts } from '../../../../src/cli/preflight/ports.ts'
import type { Check, CheckResult } from '../../../../src/cli/lib/checks.ts'
import { runChecks } from '../../../../src/cli/lib/checks.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'
import { backups, email, key, recipient } from '../../config/variables.ts'

export const head = '0123456789abcdef0123456789abcdef01234567'

const declared = await readDeployedConfig('staging')

/** wrangler.toml of an operator. */
export const config: PreflightPorts['config'] = {
  ...declared,
  url: 'https://api.wealth.test',
  variables: {
    ...declared.variables,
    PLAID_WEBHOOK_URL: 'https://api.wealth.test/api/v1/plaid/webhook',
    CORS_ORIGINS: '["https://app.wealth.test"]',
    BACKUP_RECIPIENT: recipient,
    SENTRY_DSN: 'https://publickey@sentry.wealth.test/1',
    AUTH_EMAIL_URL: email.AUTH_EMAIL_URL,
    AUTH_EMAIL_FROM: email.AUTH_EMAIL_FROM,
    AUTH_PUBLIC_URL: email.AUTH_PUBLIC_URL,
  },
}

export const secrets: Readonly<Record<string, string>> = {
  PLAID_CLIENT_ID: 'test-client-id',
  PLAID_SECRET: key('plaid'),
  DATABASE_URL: 'postgres://wn_api_a:one@db.neon.test/wn?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://wn_jobs_a:two@db.neon.test/wn?sslmode=require',
  DATABASE_IDENTITY_URL: 'postgres://wn_identity_a:three@db.neon.test/wn?sslmode=require',
  ...backups,
  SECRET_KEY: key('signs'),
  ENCRYPTION_KEY: key('seals'),
  AUDIT_KEY: key('audits'),
  AUTH_EMAIL_KEY: email.AUTH_EMAIL_KEY,
}

export const succeeds =
  (outputs: Readonly<Record<string, string>> = {}) =>
  (file: string, args: readonly string[]): Promise<CommandOutcome> =>
    Promise.resolve({ code: 0, output: outputs[[file, ...args].join(' ')] ?? 'done' })

export function portsWith(changed: Partial<PreflightPorts> = {}): PreflightPorts {
  return {
    environment: 'staging',
    config,
    secrets,
    cloudflare: {
      secretNames: () => Promise.resolve(Object.keys(secrets)),
      hasQueue: () => Promise.resolve(true),
      bucketNames: () => Promise.resolve([...config.buckets]),
    },
    shell: {},
    tested: head,
    backupTo: null,
    now: () => new Date(),
    run: succeeds({ 'git rev-parse HEAD': `${head}\n`, 'git status --porcelain': '' }),
    findAdvisories: () => Promise.resolve([]),
    ...changed,
  }
}

/** The result of one of these checks. */
export async function resultOf(
  checks: readonly Check<PreflightPorts>[],
  name: string,
  changed: Partial<PreflightPorts> = {},
): Promise<CheckResult> {
  const chosen = checks.filter((check) => check.name === name)
  const { results } = await runChecks(chosen, portsWith(changed))
  const [result, ...others] = results
  if (result === undefined || others.length > 0) throw new Error(`There is not one check named ${name}.`)
  return result
}
