// The whole list: one failure does not stop the others, a check that throws has failed, and no secret is printed.
import { describe, expect, it } from 'vitest'
import { preflightChecks, runPreflight } from '../../../../src/cli/preflight/run.ts'
import { config, portsWith, secrets } from './ports.ts'

const names = [
  'configuration',
  'secrets at Cloudflare',
  'queues and bucket',
  'Plaid credentials',
  'token of the smoke test',
  'sign-in to the console',
  'database logins over TLS',
  'pooled host',
  'migrations',
  'encryption keys',
  'backup',
  'dependency audit',
  'static analysis',
  'secret scan',
  'bundle and start-up',
  'tests',
]

describe('a preflight', () => {
  it('runs every check, also after a failure', async () => {
    expect(preflightChecks.map(({ name }) => name)).toEqual(names)
    const seen: string[] = []
    const ports = { ...portsWith(), secrets: {}, cloudflare: portsWith().cloudflare }
    const report = await runPreflight('staging', { ports, onResult: ({ name }) => seen.push(name) })
    expect(seen).toEqual(names)
    expect(report.ok).toBe(false)
    expect(report.results.every(({ status, remedy }) => status === 'pass' || remedy !== undefined)).toBe(true)
  })

  it('prints no secret that a message quotes, in a URL or elsewhere', async () => {
    const owner = 'postgres://owner:p%40ss-of-owner@127.0.0.1:9/wn?sslmode=require'
    const quoting = `${JSON.stringify(secrets)} ${owner} p@ss-of-owner p%40ss-of-owner`
    const ports = {
      ...portsWith(),
      config,
      secrets: {},
      shell: { MIGRATE_DATABASE_URL: owner },
      findAdvisories: () => Promise.reject(new Error(quoting)),
      run: () => Promise.resolve({ code: 1, output: quoting }),
      cloudflare: {
        secretNames: () => Promise.reject(new Error(quoting)),
        hasQueue: () => Promise.reject(new Error(quoting)),
        bucketNames: () => Promise.reject(new Error(quoting)),
      },
    }
    const report = await runPreflight('staging', {
      ports: { ...ports, secrets: { PLAID_SECRET: secrets['PLAID_SECRET'] ?? '' } },
    })
    const printed = JSON.stringify(report)
    expect(printed).toContain('[redacted]')
    expect(printed).not.toContain(secrets['PLAID_SECRET'])
    expect(printed).not.toMatch(/ss-of-owner/)
    expect(report.results.every(({ status }) => status !== 'pass')).toBe(true)
  })
})
