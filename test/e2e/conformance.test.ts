// The simulator and the local Neon endpoint hold every assertion of the conformance kit. A stand-in that differs from
// the real service, or a kit with fewer assertions than before, fails here.
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCloudflareStandIn } from '../../src/cli/conformance/cloudflare.ts'
import { runNeonAt, runNeonStandIn } from '../../src/cli/conformance/neon.ts'
import { runPlaidStandIn } from '../../src/cli/conformance/plaid.ts'
import type { Result } from '../../src/cli/conformance/run.ts'
import { type NeonEndpoint, startNeonEndpoint } from '../../src/dev/neon-local/server.ts'
import { type Postgres, startPostgres } from '../../src/dev/postgres/server.ts'
import { runsLongProofs } from '../support/sampled.ts'

const quiet = () => undefined
const choices = { slow: false, only: '', print: quiet, signal: new AbortController().signal }

function failures(results: readonly Result[]): string[] {
  return results.flatMap(({ name, outcome }) => (outcome.kind === 'failed' ? [`${name}: ${outcome.reason}`] : []))
}

function unchecked(results: readonly Result[]): string[] {
  return results.flatMap(({ name, outcome }) => (outcome.kind === 'unchecked' ? [name] : []))
}

// Each waits for real time-outs: in CI, and with PROOFS=all.
describe.runIf(runsLongProofs())('the conformance kit', () => {
  it('passes for the local Neon endpoint', async () => {
    const results = await runNeonStandIn(choices)
    expect(failures(results)).toEqual([])
    expect(unchecked(results)).toEqual(['neon/pooled-host'])
  })

  it('passes for the simulator of Plaid', async () => {
    const results = await runPlaidStandIn(choices)
    expect(failures(results)).toEqual([])
    expect(unchecked(results)).toEqual([])
  })

  it('passes for the local runtime of Workers', async () => {
    const results = await runCloudflareStandIn(choices)
    expect(failures(results)).toEqual([])
    expect(unchecked(results)).toEqual(['cloudflare/client-address', 'cloudflare/placement'])
  })
})

describe('a run against a database', () => {
  let server: Postgres
  let endpoint: NeonEndpoint
  const one = { ...choices, only: 'neon/statement-error' }

  async function query(text: string): Promise<unknown[]> {
    const client = new Client(server.url)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }

  const leftBehind = () =>
    query(`select nspname::text as name from pg_namespace where nspname like 'wn_conformance%'
      union all select rolname from pg_roles where rolname like 'wn_conformance%'`)

  beforeAll(async () => {
    server = await startPostgres({ dataDir: ':memory:', port: 0, log: quiet })
    endpoint = await startNeonEndpoint({ postgresUrl: server.url, port: 0, log: quiet })
    await query("create table public.users as select 'ada' as subject")
  })
  afterAll(async () => {
    await endpoint.stop()
    await server.stop()
  })

  const run = (isUsedAllowed: boolean) =>
    runNeonAt({ url: server.url, endpoint: endpoint.url, controls: null }, isUsedAllowed, one)

  it('is refused when users are stored there, and makes nothing', async () => {
    await expect(run(false)).rejects.toThrow('scratch branch')
    expect(await leftBehind()).toEqual([])
  })

  it('drops its schema and its role when it was allowed', async () => {
    expect(await run(true)).toEqual([{ name: 'neon/statement-error', outcome: { kind: 'passed' } }])
    expect(await leftBehind()).toEqual([])
    expect(await query('select subject from public.users')).toEqual([{ subject: 'ada' }])
  })
})
