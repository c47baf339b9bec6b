// `npm run plaid:check`: tests the connection to Plaid, and lists what its dashboard must hold.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readLocalVariables } from '../dev/lib/local-variables.ts'
import { projectFolder } from '../dev/lib/project-folder.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { describeReport, describeResult } from './lib/checks.ts'
import { deployedEnvironment, readDeployedConfig } from './lib/deployed-config.ts'
import { readSecrets } from './lib/deployment-values.ts'
import { dashboardLines } from './plaid-check/dashboard.ts'
import { settingsOf } from './plaid-check/ports.ts'
import { checkPlaid } from './plaid-check/run.ts'

const help = `npm run plaid:check [-- --env staging|production] [--secrets FILE] [--redirect-uri URI]…

Tests the connection to Plaid: credentials and environment, products, a link token, redirect URIs and Android packages, in the
sandbox a test item from its link to its removal, and whether Plaid can reach the webhook URL. Then lists what only Plaid's
dashboard shows. Exits 1 when a check fails. Leaves nothing behind at Plaid.
  --env           the variables of that environment of wrangler.toml, and the secrets of .secrets.ENV.json or the shell;
                  without it, those of .dev.vars or the shell
  --secrets       another file of secrets
  --redirect-uri  a page to which banks with OAuth return users; can be repeated`

interface Given {
  readonly env?: string | undefined
  readonly secrets?: string | undefined
}

async function valuesOf({ env, secrets: file }: Given): Promise<Record<string, string>> {
  if (env === undefined) {
    const { chosen, examples } = await readLocalVariables(projectFolder, process.env)
    return { ...examples, ...chosen }
  }
  const environment = deployedEnvironment(env)
  const secrets = await readSecrets(file ?? join(projectFolder, `.secrets.${environment}.json`), process.env)
  const override = process.env['PLAID_BASE_URL']
  return {
    ...(await readDeployedConfig(environment)).variables,
    ...secrets,
    ...(override ? { PLAID_BASE_URL: override } : {}),
  }
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: 'string' },
      secrets: { type: 'string' },
      'redirect-uri': { type: 'string', multiple: true, default: [] },
    },
  })
  const settings = settingsOf(await valuesOf(values), values['redirect-uri'])
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const report = await checkPlaid(settings, { onResult: (result) => print(describeResult(result)) })
  print(describeReport(report))
  print(`\nNo call shows the following. Look into Plaid's dashboard:`)
  for (const line of dashboardLines(settings.environment)) print(line)
  if (!report.ok) throw new Error('The connection to Plaid is not in order.')
}

if (import.meta.main) await runCommand(help, main)
