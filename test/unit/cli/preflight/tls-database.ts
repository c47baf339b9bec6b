// A database of the shared server behind TLS, for the checks of a preflight.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { databaseChecks } from '../../../../src/cli/preflight/database.ts'
import type { PreflightPorts } from '../../../../src/cli/preflight/ports.ts'
import { storedChecks } from '../../../../src/cli/preflight/stored.ts'
import { makeCertificate } from '../../../support/certificate.ts'
import { connectStack, type TestDatabase } from '../../../support/stack.ts'
import { startTlsProxy, type TlsProxy } from '../../../support/tls-proxy.ts'
import { key } from '../../config/variables.ts'
import { config, resultOf } from './ports.ts'

const stack = connectStack(inject('control'))

export interface TlsDatabase {
  readonly database: TestDatabase
  readonly proxy: TlsProxy
  readonly folder: string
  /** The parameters of a URL that trusts the proxy's certificate. */
  readonly parameters: string
  /** The deployment's secrets, with URLs through TLS. */
  readonly secrets: Readonly<Record<string, string>>
  /** The owner's URL through TLS. */
  readonly owner: string
}

async function create(): Promise<TlsDatabase> {
  const database = await stack.createDatabase()
  const certificate = await makeCertificate(30)
  const proxy = await startTlsProxy(certificate)
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-preflight-'))
  await writeFile(join(folder, 'cert.pem'), certificate.cert)
  const parameters = `sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, 'cert.pem'))}`
  const tls = (url: string) => proxy.through(url, parameters)
  const secrets = {
    DATABASE_URL: tls(database.apiUrl),
    DATABASE_JOBS_URL: tls(database.jobsUrl),
    DATABASE_IDENTITY_URL: tls(database.identityUrl),
    DATABASE_BACKUP_URL: tls(database.backupUrl),
    AUDIT_KEY: key('audits'),
  }
  return { database, proxy, folder, parameters, secrets, owner: tls(database.ownerUrl) }
}

/** One database for a test file. */
export function useTlsDatabase() {
  let made: TlsDatabase
  beforeAll(async () => {
    made = await create()
  })
  afterAll(async () => {
    await made.proxy.stop()
    await stack.dropDatabase(made.database.name)
    await rm(made.folder, { recursive: true })
  })
  const checks = [...databaseChecks, ...storedChecks]
  return {
    get: () => made,
    check: (name: string, changed: Partial<PreflightPorts> = {}) =>
      resultOf(checks, name, { secrets: made.secrets, shell: { MIGRATE_DATABASE_URL: made.owner }, ...changed }),
    withSecrets: (changed: Record<string, string>): Partial<PreflightPorts> => ({
      secrets: { ...made.secrets, ...changed },
    }),
    /** Runs statements as the owner. */
    sql: async (...statements: string[]): Promise<void> => {
      const client = new Client(made.database.ownerUrl)
      await client.connect()
      try {
        for (const statement of statements) await client.query(statement)
      } finally {
        await client.end()
      }
    },
  }
}

export const withVariables = (changed: Record<string, string>): Partial<PreflightPorts> => ({
  config: { ...config, variables: { ...config.variables, ...changed } },
})
