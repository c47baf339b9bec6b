// Checks of what the deployment would be configured with, and of what it needs at Cloudflare and at Plaid.
import { decodeJwt } from 'jose'
import { callbackPath, type Config, parseConfig } from '../../config/config.ts'
import { AppError } from '../../errors.ts'
import { type Check, fail, messageOf, pass, type Verdict, warn } from '../lib/checks.ts'
import { workerValues } from '../lib/deployment-values.ts'
import { callPlaid, describePlaidError, plaidBaseUrl } from '../lib/plaid-call.ts'
import type { PreflightPorts } from './ports.ts'

const secretsRemedy = (environment: string): string =>
  `Write them into .secrets.${environment}.json and run \`npm run setup -- --env ${environment}\`.`

/** The names of the secrets at Cloudflare; none without a Worker. `failure` says why they are not known. */
async function namesAtCloudflare({ cloudflare }: PreflightPorts) {
  try {
    return { names: (await cloudflare.secretNames()) ?? [], failure: null }
  } catch (error) {
    return { names: [], failure: `the secrets at Cloudflare are not known: ${messageOf(error)}` }
  }
}

const configuration: Check<PreflightPorts> = {
  name: 'configuration',
  async check(ports) {
    const { config, secrets, environment } = ports
    // Without Cloudflare's list, only what is known here counts.
    const { names, failure } = await namesAtCloudflare(ports)
    const { values, unseen } = workerValues(config, secrets, names)
    try {
      parseConfig(values)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const reasons = [error.reason ?? error.detail, ...(failure === null ? [] : [failure])]
      return fail(reasons.join('; '), 'docs/configuration.md names each variable and its values.')
    }
    if (values['ENVIRONMENT'] !== environment)
      return fail(`ENVIRONMENT is not ${environment}`, `Set it in [env.${environment}.vars] of wrangler.toml.`)
    const webhookHost = URL.parse(values['PLAID_WEBHOOK_URL'] ?? '')?.host
    if (webhookHost !== URL.parse(config.url)?.host)
      return fail(
        `PLAID_WEBHOOK_URL is not at ${config.url}, the route of the Worker`,
        'Both are in wrangler.toml: give them the same host.',
      )
    if (failure !== null)
      return warn(
        `what is known here is accepted; ${failure}`,
        'Remove the cause that the message names, then run it again: a secret that only Cloudflare has was not checked.',
      )
    if (unseen.length === 0) return pass('every variable and secret is accepted')
    return warn(
      `the variables are accepted; the values of ${unseen.join(', ')} are at Cloudflare and were not seen`,
      'To check them too, run this where the secrets file is. /ready checks them after the deployment.',
    )
  },
}

const secretsPresent: Check<PreflightPorts> = {
  name: 'secrets at Cloudflare',
  async check({ config, secrets, cloudflare, environment }) {
    const present = await cloudflare.secretNames()
    if (present === null)
      return fail(`there is no Worker ${config.workerName} with secrets`, secretsRemedy(environment))
    const needed = [...new Set([...config.requiredSecrets, ...Object.keys(secrets)])]
    const missing = needed.filter((name) => !present.includes(name))
    if (missing.length > 0) return fail(`missing: ${missing.join(', ')}`, secretsRemedy(environment))
    return pass(`all ${needed.length} are there`)
  },
}

const resources: Check<PreflightPorts> = {
  name: 'queues and bucket',
  async check({ config, cloudflare, environment }) {
    const queues = [...new Set(config.queues)]
    const missing: string[] = []
    for (const queue of queues) if (!(await cloudflare.hasQueue(queue))) missing.push(`queue ${queue}`)
    const buckets = await cloudflare.bucketNames()
    missing.push(...config.buckets.filter((name) => !buckets.includes(name)).map((name) => `bucket ${name}`))
    if (missing.length > 0)
      return fail(`missing: ${missing.join(', ')}`, `Create them: \`npm run setup -- --env ${environment}\`.`)
    if (config.buckets.length === 0)
      return warn(
        'no bucket is bound, so only the database knows who was erased',
        'Bind BACKUPS, or save the list regularly: docs/disaster-recovery.md, *Who was erased*.',
      )
    return pass(`${queues.length} queues and ${config.buckets.length} bucket exist`)
  },
}

function refusedByPlaid(answer: Extract<Awaited<ReturnType<typeof callPlaid>>, { ok: false }>): Verdict {
  const said = describePlaidError(answer)
  if (answer.status === 429) return warn(`unknown: ${said}`, 'Plaid limits such calls: run it again in a minute.')
  if (answer.status >= 500) return warn(`unknown: ${said}`, 'Look at https://status.plaid.com, then run it again.')
  return fail(
    said,
    'Compare client id, secret and PLAID_ENV with *Keys* in the dashboard of Plaid: `npm run plaid:check`.',
  )
}

const plaid: Check<PreflightPorts> = {
  name: 'Plaid credentials',
  async check({ config, secrets, shell, environment }) {
    const { PLAID_CLIENT_ID: clientId, PLAID_SECRET: secret } = secrets
    const plaidEnvironment = config.variables['PLAID_ENV'] === 'production' ? 'production' : 'sandbox'
    if (clientId === undefined || secret === undefined)
      return warn(
        'not checked: PLAID_CLIENT_ID and PLAID_SECRET are not known here',
        `Run it where .secrets.${environment}.json is, or give both as variables of the shell.`,
      )
    const baseUrl = plaidBaseUrl(plaidEnvironment, shell['PLAID_BASE_URL'])
    const body = { count: 1, offset: 0, country_codes: ['US'] }
    const answer = await callPlaid({ baseUrl, clientId, secret }, '/institutions/get', body)
    return answer.ok ? pass(`accepted in ${plaidEnvironment}`) : refusedByPlaid(answer)
  },
}

/** A deployment watches two steps and ends with the smoke test: its token must still be valid then. */
const leastTokenMs = 3_600_000
const tokenRemedy = 'Make one that lasts: docs/go-live.md, *The token of the smoke test*.'

/** When a token expires; null if it does not say so. Tokens of a provider need not be readable. */
function expiryOf(token: string): Date | null {
  try {
    const { exp } = decodeJwt(token)
    return exp === undefined ? null : new Date(exp * 1000)
  } catch {
    return null
  }
}

const smokeToken: Check<PreflightPorts> = {
  name: 'token of the smoke test',
  check({ shell, now }) {
    const token = shell['SMOKE_TOKEN']
    if (!token) return warn('there is no SMOKE_TOKEN, so the smoke test reads nothing as a user', tokenRemedy)
    const expiry = expiryOf(token)
    if (expiry === null) return warn('unknown: SMOKE_TOKEN does not say when it expires', tokenRemedy)
    const leftMs = expiry.getTime() - now().getTime()
    const at = expiry.toISOString()
    if (leftMs <= 0) return fail(`SMOKE_TOKEN expired at ${at}: the new version would be rolled back`, tokenRemedy)
    if (leftMs < leastTokenMs)
      return fail(`SMOKE_TOKEN expires at ${at}, perhaps before the deployment ends`, tokenRemedy)
    return pass(`valid until ${at}`)
  },
}

/** What the configuration would be; null if it is not valid, which another check says. */
async function parsedConfig(ports: PreflightPorts): Promise<Config | null> {
  const { names } = await namesAtCloudflare(ports)
  try {
    return parseConfig(workerValues(ports.config, ports.secrets, names).values)
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

const consoleSignIn: Check<PreflightPorts> = {
  name: 'sign-in to the console',
  async check(ports) {
    const config = await parsedConfig(ports)
    if (config === null) return warn('unknown: the configuration is not accepted', 'Correct the configuration first.')
    const { auth, console: pages } = config
    if (pages === null) return pass('there is no console')
    if (auth.mode === 'builtin') return pass('with built-in accounts')
    const address = `${pages.origin}${callbackPath}`
    if (pages.provider === null)
      return warn(
        'no user can sign in to the console: CONSOLE_OIDC_CLIENT_ID is missing',
        `Register a client at ${auth.issuer} with the redirect URI ${address} and set its id, or set CONSOLE=off.`,
      )
    const kind = pages.provider.clientSecret === null ? 'a public client' : 'a client with a secret'
    return pass(`${kind} at ${auth.issuer}, where the redirect URI must be ${address}`)
  },
}

export const settingChecks: readonly Check<PreflightPorts>[] = [
  configuration,
  secretsPresent,
  resources,
  plaid,
  smokeToken,
  consoleSignIn,
]
