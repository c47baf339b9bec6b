// `npm run preflight`: says before a deployment what would go wrong, and what to do about it.
import { parseArgs } from 'node:util'
import { runCommand } from '../dev/lib/run-command.ts'
import { describeReport, describeResult } from './lib/checks.ts'
import { deployedEnvironment } from './lib/deployed-config.ts'
import { runPreflight } from './preflight/run.ts'

const help = `npm run preflight -- --env staging|production [--tested RUN|COMMIT] [--backup-to FOLDER] [--secrets FILE]

Checks what a deployment needs: configuration, secrets, queues and bucket at Cloudflare, Plaid's credentials, the database's
logins over TLS, migrations, encryption keys, a backup younger than a day, advisories, static analysis, secret scan, bundle and
tests. Each line is a pass, a warning or a failure with a remedy. What is not known is a warning or a failure. Exits 1 when a
check fails. Changes nothing, but for the backup that --backup-to asks for.
  --env         the environment of wrangler.toml
  --tested      in place of the tests: the URL of a GitHub Actions run that passed for this commit (GITHUB_TOKEN where the
                repository is private), or a commit, by your word
  --backup-to   takes a backup into this folder when the newest one is older than a day
  --secrets     the file of secrets (.secrets.ENV.json); variables of the shell replace those of the file
MIGRATE_DATABASE_URL is the owner's URL. Wrangler's login, or CLOUDFLARE_API_TOKEN, reads the account.`

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: 'string' },
      tested: { type: 'string' },
      'backup-to': { type: 'string' },
      secrets: { type: 'string' },
    },
  })
  const environment = deployedEnvironment(values.env)
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const report = await runPreflight(environment, {
    tested: values.tested ?? null,
    backupTo: values['backup-to'] ?? null,
    ...(values.secrets === undefined ? {} : { secretsFile: values.secrets }),
    onResult: (result) => print(describeResult(result)),
  })
  print(describeReport(report))
  if (!report.ok) throw new Error(`Nothing should be deployed to ${environment} yet.`)
}

if (import.meta.main) await runCommand(help, main)
