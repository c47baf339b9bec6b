// `npm run setup`: creates what an environment needs before its first deployment.
import { parseArgs } from 'node:util'
import * as z from 'zod'
import { bootstrap } from '../dev/lib/bootstrap.ts'
import { migrate } from '../dev/lib/migrate.ts'
import { ownerUrl } from '../dev/lib/owner-url.ts'
import { runCommand } from '../dev/lib/run-command.ts'
import { pendingMigrations } from './deploy/pending.ts'
import { stateStore } from './deploy/state.ts'
import { createCloudflare, wranglerOptions } from './lib/cloudflare.ts'
import { deployedEnvironment, readDeployedConfig } from './lib/deployed-config.ts'
import { withConnection } from './lib/owner-connection.ts'
import type { SetupDatabase } from './setup/ports.ts'
import { setUp } from './setup/run.ts'
import { secretsFile } from './setup/secrets-file.ts'

const help = `npm run setup -- --env staging|production [--secrets FILE] [--replace NAME]…

Creates at Cloudflare the queues (14 days), the bucket and its locks, and the secrets; in the database the tables, where there
are none, and the Worker's logins. Looks first and changes nothing that exists, so it can be run again. Says what it cannot
do. Prints no secret.
  --secrets FILE   the secrets (.secrets.ENV.json): a JSON object of name and value, which you keep in your vault.
                   SECRET_KEY, ENCRYPTION_KEY, AUDIT_KEY and the database URLs are made where neither Cloudflare nor the
                   file has them, and are in the file, for its owner alone, before they are uploaded
  --replace NAME   a secret of the file that replaces the one at Cloudflare; without it, none is replaced
MIGRATE_DATABASE_URL is the owner's URL; needed only for new logins. CLOUDFLARE_API_TOKEN, or \`npx wrangler login\`.`

const foundRows = z.tuple([z.object({ found: z.boolean() })])

/** Rows that a key must open or verify. */
const keyedRows = [
  ['ENCRYPTION_KEY', 'public.items', "access_token_sealed <> ''"],
  ['AUDIT_KEY', 'public.audit_log', 'true'],
] as const

function databaseOf(url: string): SetupDatabase {
  return {
    migrateIfEmpty: async () => {
      if ((await pendingMigrations(url)).isEmpty) await migrate(url)
    },
    keysInUse: () =>
      withConnection(url, 'setup', async (client) => {
        const uses: string[] = []
        for (const [name, table, condition] of keyedRows) {
          const { rows: there } = await client.query('SELECT to_regclass($1) IS NOT NULL AS found', [table])
          if (!foundRows.parse(there)[0].found) continue
          const { rows } = await client.query(`SELECT EXISTS (SELECT 1 FROM ${table} WHERE ${condition}) AS found`)
          if (foundRows.parse(rows)[0].found) uses.push(name)
        }
        return uses
      }),
    makeLogins: async () => {
      const { apiUrl, jobsUrl, identityUrl, backupUrl } = await bootstrap(url)
      return {
        DATABASE_URL: apiUrl,
        DATABASE_JOBS_URL: jobsUrl,
        DATABASE_IDENTITY_URL: identityUrl,
        DATABASE_BACKUP_URL: backupUrl,
      }
    },
  }
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: 'string' },
      secrets: { type: 'string' },
      replace: { type: 'string', multiple: true, default: [] },
    },
  })
  const environment = deployedEnvironment(values.env)
  const file = secretsFile(environment, values.secrets)
  // Two of them would make two keys, of which the file keeps one and Cloudflare the other.
  const unlock = await stateStore(environment).lock()
  try {
    const ports = {
      config: await readDeployedConfig(environment),
      cloudflare: createCloudflare(environment, wranglerOptions(process.env)),
      file,
      database: process.env['MIGRATE_DATABASE_URL'] ? databaseOf(ownerUrl()) : null,
      print: (line: string) => void process.stdout.write(`${line}\n`),
    }
    await setUp(ports, { replace: values.replace })
  } finally {
    await unlock()
  }
}

if (import.meta.main) await runCommand(help, main)
