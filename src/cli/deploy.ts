// `npm run deploy`: brings the working tree to staging or production in steps, and back if one fails.
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { interruption } from './deploy/interruption.ts'
import { deployedEnvironment } from './lib/deployed-config.ts'

const defaults = { minutes: '5', requests: '30', rate: '0.01' }

const help = `npm run deploy -- --env staging|production [--tested RUN] [--backup-to FOLDER] [--at-once]
                  [--allow-contract MIGRATION]… [--watch-minutes ${defaults.minutes}] [--min-requests ${defaults.requests}] [--max-error-rate ${defaults.rate}]

Runs the preflight, applies the pending migrations, uploads a version, deploys it at 0 % and tests it there, then gives it
10 % and 100 % of the traffic and watches each step. Replaces the triggers last. If a step fails, or the command is
interrupted, the traffic goes back to the table from before, which is kept in .deployments/ for \`npm run rollback\`.
  --tested RUN            the CI run of this commit; without it, the preflight runs the tests
  --backup-to FOLDER      where the preflight writes a backup if the newest one is older than a day
  --at-once               all traffic at once, for a Durable Object migration. Cloudflare cannot take one back
  --allow-contract NAME   a migration that removes what no version uses any more, neither the running one nor one that a
                          rollback would bring back
  --watch-minutes N       how long each step is watched; it waits up to twice as long again for --min-requests
  --min-requests N        a version is not judged on fewer requests; the command sends one every five seconds
  --max-error-rate R      the share of failed requests that ends the deployment; a single failure never does
MIGRATE_DATABASE_URL is the owner's. CLOUDFLARE_API_TOKEN, or \`npx wrangler login\`; the token also opens Cloudflare's
analytics and crons. SMOKE_TOKEN, an access token, lets the smoke test read.`

const options = {
  env: { type: 'string' },
  tested: { type: 'string' },
  'backup-to': { type: 'string' },
  'at-once': { type: 'boolean', default: false },
  'allow-contract': { type: 'string', multiple: true },
  'watch-minutes': { type: 'string', default: defaults.minutes },
  'min-requests': { type: 'string', default: defaults.requests },
  'max-error-rate': { type: 'string', default: defaults.rate },
} as const

function numberOf(name: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max))
    throw misuse(`--${name} must be a number from ${min} to ${max}.`)
  return value
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options })
  const environment = deployedEnvironment(values.env)
  const watchMs = numberOf('watch-minutes', values['watch-minutes'], { min: 1, max: 120 }) * 60_000
  const judgement = {
    minRequests: numberOf('min-requests', values['min-requests'], { min: 10, max: 1_000_000 }),
    maxErrorRate: numberOf('max-error-rate', values['max-error-rate'], { min: 0, max: 0.5 }),
    watchMs,
    extraMs: 2 * watchMs,
    everyMs: 5000,
  }
  const { tested = null, 'backup-to': backupTo = null } = values
  const [{ deployPorts }, { deploy }] = await Promise.all([import('./deploy/real-ports.ts'), import('./deploy/run.ts')])
  const ports = await deployPorts(environment, { judgement, tested, backupTo, signal: interruption() })
  const version = await deploy(ports, { allowContract: values['allow-contract'] ?? [], atOnce: values['at-once'] })
  ports.print(`${environment} runs ${version}. Next: npm run smoke -- --url ${ports.config.url} --after-deploy`)
}

if (import.meta.main) await runCommand(help, main)
