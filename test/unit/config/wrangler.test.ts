// What wrangler.toml deploys: each environment has an address, a region, limits and every variable that the Worker needs,
// and the top level cannot be deployed by accident.
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unstable_readConfig as readConfig } from 'wrangler'
import * as z from 'zod'
import { deployedEnvironments } from '../../../src/dev/lib/bundle.ts'
import { runWrangler } from '../../../src/dev/lib/wrangler.ts'
import { parseConfig } from '../../../src/config/config.ts'
import { AppError } from '../../../src/errors.ts'

const environmentSchema = z.object({
  name: z.string(),
  main: z.string(),
  minify: z.literal(true),
  upload_source_maps: z.literal(true),
  workers_dev: z.literal(false),
  routes: z.array(z.object({ pattern: z.string(), custom_domain: z.literal(true) })).min(1),
  placement: z.object({ region: z.string().regex(/^(aws|gcp|azure):[a-z0-9-]+$/) }),
  limits: z.object({ cpu_ms: z.int().min(30_000).max(300_000) }),
  vars: z.record(z.string(), z.string()),
  secrets: z.object({ required: z.array(z.string()) }),
})

const read = (env: string) =>
  environmentSchema.parse(readConfig({ config: 'wrangler.toml', env }, { hideWarnings: true }))

/** Valid secrets, and an issuer instead of built-in accounts. */
const secrets: Readonly<Record<string, string>> = {
  PLAID_CLIENT_ID: 'client',
  PLAID_SECRET: 'plaid-secret-of-this-test',
  DATABASE_URL: 'postgres://wn_api:one@db.wealth.test/wn?sslmode=require',
  DATABASE_JOBS_URL: 'postgres://wn_jobs:two@db.wealth.test/wn?sslmode=require',
  SECRET_KEY: createHash('sha256').update('signs').digest('base64'),
  ENCRYPTION_KEY: createHash('sha256').update('seals').digest('base64'),
  AUDIT_KEY: createHash('sha256').update('audits').digest('base64'),
}
const issuer = {
  AUTH_ISSUER: 'https://login.wealth.test',
  AUTH_AUDIENCE: 'wealth',
  AUTH_JWKS_URL: 'https://login.wealth.test/jwks',
  AUTH_WRITE_SCOPE: 'wealth:write',
}

function refusalOf(variables: Readonly<Record<string, string>>): string | null {
  try {
    parseConfig(variables)
    return null
  } catch (error) {
    return error instanceof AppError ? (error.reason ?? '') : String(error)
  }
}

describe.each(deployedEnvironments)('the environment %s', (environment) => {
  const { routes, vars, secrets: declared } = read(environment)
  const host = routes[0]?.pattern ?? ''

  it('has a custom domain, which Plaid’s webhooks go to', () => {
    expect(vars['PLAID_WEBHOOK_URL']).toBe(`https://${host}/api/v1/plaid/webhook`)
  })

  it('needs no variable but those of wrangler.toml, the required secrets and a way to sign in', () => {
    const given = declared.required.map((name) => [name, secrets[name] ?? 'a secret that this test does not know'])
    const own = JSON.parse(
      JSON.stringify(vars).replaceAll('example.com', 'wealth.test').replaceAll('age1example', 'none'),
    )
    expect(refusalOf({ ...own, ...Object.fromEntries(given), ...issuer })).toBeNull()
    for (const name of declared.required)
      expect(refusalOf({ ...own, ...Object.fromEntries(given), ...issuer, [name]: '' })).toContain(`${name} is missing`)
  })

  it('serves nothing before its example domain is replaced', () => {
    const reason = refusalOf({ ...vars, ...secrets, ...issuer })
    expect(reason).toContain('PLAID_WEBHOOK_URL is an example value')
    expect(reason).toContain('CORS_ORIGINS is an example value')
    expect(reason).toContain('BACKUP_RECIPIENT is an example value')
    expect(reason).toContain('SENTRY_DSN is an example value')
  })
})

describe('the top level', () => {
  it('cannot be deployed without --env: it has no entry, and wrangler refuses assets without one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
    try {
      await expect(runWrangler(['deploy', '--dry-run'], folder)).rejects.toThrow('assets-only Worker')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('would serve nothing: it says no ENVIRONMENT', () => {
    const { vars } = z.object({ vars: z.record(z.string(), z.string()) }).parse(readConfig({ config: 'wrangler.toml' }))
    expect(refusalOf({ ...vars, ...secrets })).toContain('ENVIRONMENT is missing')
  })
})

describe('the environments', () => {
  it('share no name and no address', () => {
    const all = deployedEnvironments.map(read)
    expect(new Set(all.map(({ name }) => name)).size).toBe(deployedEnvironments.length)
    expect(new Set(all.flatMap(({ routes }) => routes.map(({ pattern }) => pattern))).size).toBe(
      deployedEnvironments.length,
    )
  })
})
