// The assertions about Neon, and where they run. The stand-in is a temporary PostgreSQL behind the local endpoint. The
// real service is the database of a URL, which must contain no rows of this project unless the operator allows it.
import { neonConfig } from '@neondatabase/serverless'
import { misuse } from '../../dev/lib/run-command.ts'
import { startNeonEndpoint } from '../../dev/neon-local/server.ts'
import { databaseName, startPostgres } from '../../dev/postgres/server.ts'
import type { Assertion } from './assertion.ts'
import { computeAssertions } from './neon/compute.ts'
import { failureAssertions } from './neon/failures.ts'
import { loginAssertions } from './neon/logins.ts'
import { type NeonPlace, neonTarget, type NeonTarget, openNeonTarget } from './neon/target.ts'
import { transactionAssertions } from './neon/transactions.ts'
import { valueAssertions } from './neon/values.ts'
import { type Result, runAssertions, type RunChoices } from './run.ts'

export const neonAssertions: readonly Assertion<NeonTarget>[] = [
  ...failureAssertions,
  ...valueAssertions,
  ...transactionAssertions,
  ...loginAssertions,
  ...computeAssertions,
]

async function assertAt(place: NeonPlace, choices: RunChoices): Promise<Result[]> {
  const { target, close } = await openNeonTarget(place)
  try {
    return await runAssertions(neonAssertions, target, choices)
  } finally {
    await close()
  }
}

const quiet = () => undefined

/** Against the local endpoint, with a temporary server. */
export async function runNeonStandIn(choices: RunChoices): Promise<Result[]> {
  const server = await startPostgres({ dataDir: ':memory:', port: 0, log: quiet })
  try {
    const endpoint = await startNeonEndpoint({ postgresUrl: server.url, port: 0, log: quiet })
    try {
      const controls = { restart: () => endpoint.restart(databaseName) }
      return await assertAt({ url: server.url, endpoint: endpoint.url, controls }, choices)
    } finally {
      await endpoint.stop()
    }
  } finally {
    await server.stop()
  }
}

/** The driver's rule for the host to which requests of a connection string are sent. */
function endpointOf(url: string): string {
  const { fetchEndpoint } = neonConfig
  if (typeof fetchEndpoint === 'string') return fetchEndpoint
  const { hostname, port } = new URL(url)
  return fetchEndpoint(hostname, port || '5432', {})
}

const used = `select exists (select from information_schema.tables
  where table_schema = 'public' and table_name = 'users') as used`

/** Refuses a database that contains a user of this project, because assertions end connections and take locks. */
async function refuseUsed(place: NeonPlace): Promise<void> {
  const target = neonTarget(place, 'none')
  const [tables] = await target.rows(used)
  if (tables?.['used'] !== true) return
  const users = await target.rows('select 1 from public.users limit 1')
  if (users.length > 0)
    throw misuse('This database has users. Give the URL of a scratch branch, or add --used-database.')
}

/** Creates a separate schema and role in the database, runs the assertions, and drops both. */
export async function runNeonAt(place: NeonPlace, isUsedAllowed: boolean, choices: RunChoices): Promise<Result[]> {
  if (!isUsedAllowed) await refuseUsed(place)
  return assertAt(place, choices)
}

/** Against a Neon database. */
export function runNeon(url: string, isUsedAllowed: boolean, choices: RunChoices): Promise<Result[]> {
  return runNeonAt({ url, endpoint: endpointOf(url), controls: null }, isUsedAllowed, choices)
}
