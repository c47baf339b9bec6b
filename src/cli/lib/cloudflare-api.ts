// What wrangler has no command for: the crons that fire now, and the counted requests of a version. Both need
// CLOUDFLARE_API_TOKEN; without it they are unknown, which is never the same as none.
import * as z from 'zod'

const timeoutMs = 20_000

export interface WorkerName {
  readonly workerName: string
}

export interface CloudflareApi {
  /** The cron strings that Cloudflare fires. */
  crons: () => Promise<string[]>
  /** Requests to a version since a time, and those that ended in an exception or a limit. Cloudflare is minutes behind. */
  requestsOf: (version: string, since: Date, until: Date) => Promise<{ requests: number; errors: number }>
}

const schedulesSchema = z.object({ result: z.object({ schedules: z.array(z.object({ cron: z.string() })) }) })
const countSchema = z.object({ sum: z.object({ requests: z.number(), errors: z.number() }) })
// A query that is refused is a 200 with errors and without data.
const graphSchema = z.object({
  data: z
    .object({
      viewer: z.object({ accounts: z.array(z.object({ workersInvocationsAdaptive: z.array(countSchema) })) }),
    })
    .nullish(),
  errors: z.array(z.object({ message: z.string() })).nullish(),
})

/** The types of the variables are those of Cloudflare's schema, in lower case. */
const query = `query ($account: string, $script: string, $versions: [string], $since: string, $until: string) {
  viewer { accounts(filter: { accountTag: $account }) {
    workersInvocationsAdaptive(
      limit: 1000,
      filter: { scriptName: $script, scriptVersion_in: $versions, datetime_geq: $since, datetime_leq: $until }
    ) { sum { requests errors } }
  } }
}`

async function read(response: Response, what: string): Promise<unknown> {
  if (response.ok) return await response.json()
  throw new Error(
    response.status === 403 || response.status === 401
      ? `Cloudflare refuses the token for ${what}: give it the permission, or unset CLOUDFLARE_API_TOKEN.`
      : `Cloudflare returns ${response.status} for ${what}.`,
  )
}

/** Null where the environment has no token. `accountId` is the account that wrangler uses. */
export function cloudflareApi(
  { workerName }: WorkerName,
  accountId: string | null,
  environment: NodeJS.ProcessEnv,
): CloudflareApi | null {
  const token = environment['CLOUDFLARE_API_TOKEN']
  const account = environment['CLOUDFLARE_ACCOUNT_ID'] || accountId
  if (!token || !account) return null
  const base = environment['CLOUDFLARE_API_BASE_URL'] || 'https://api.cloudflare.com/client/v4'
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const common = (): RequestInit => ({ headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
  return {
    crons: async () => {
      const path = `/accounts/${encodeURIComponent(account)}/workers/scripts/${encodeURIComponent(workerName)}/schedules`
      const response = await fetch(`${base}${path}`, common())
      const { result } = schedulesSchema.parse(await read(response, 'the crons'))
      return result.schedules.map(({ cron }) => cron)
    },
    requestsOf: async (version, since, until) => {
      const variables = {
        account,
        script: workerName,
        versions: [version],
        since: since.toISOString(),
        until: until.toISOString(),
      }
      const body = JSON.stringify({ query, variables })
      const response = await fetch(`${base}/graphql`, { ...common(), method: 'POST', body })
      const { data, errors } = graphSchema.parse(await read(response, 'the analytics'))
      const [found] = data?.viewer.accounts ?? []
      if (found === undefined)
        throw new Error(`Cloudflare's analytics refuse the query: ${errors?.[0]?.message ?? 'no account'}`)
      const rows = found.workersInvocationsAdaptive
      return {
        requests: rows.reduce((total, { sum }) => total + sum.requests, 0),
        errors: rows.reduce((total, { sum }) => total + sum.errors, 0),
      }
    },
  }
}
