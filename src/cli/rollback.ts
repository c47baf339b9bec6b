// `npm run rollback`: brings the version from before the last deployment back, or one that is named.
import { parseArgs } from 'node:util'
import { misuse, runCommand } from '../dev/lib/run-command.ts'
import { deployedEnvironment } from './lib/deployed-config.ts'

const help = `npm run rollback -- --env staging|production [--to VERSION] [--with-old-secrets]

Brings back the traffic table and the crons from before the last deployment, which \`npm run deploy\` kept in .deployments/,
or sends all traffic to VERSION. Without that file, takes the version that Cloudflare names as the one from before, and
leaves the crons; lists the versions where Cloudflare names none. The database stays as it is: migrations only expand.
Refuses to go over a Durable Object migration, because Cloudflare does.
  --with-old-secrets   also where secrets have changed since: that version has its old ones`

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      env: { type: 'string' },
      to: { type: 'string' },
      'with-old-secrets': { type: 'boolean', default: false },
    },
  })
  const environment = deployedEnvironment(values.env)
  if (values.to !== undefined && !/^[0-9a-f-]{36}$/.test(values.to)) throw misuse('--to must be the id of a version.')
  const [{ rollbackPorts }, { rollback }] = await Promise.all([
    import('./deploy/real-ports.ts'),
    import('./deploy/rollback.ts'),
  ])
  await rollback(await rollbackPorts(environment), { to: values.to, withOldSecrets: values['with-old-secrets'] })
}

if (import.meta.main) await runCommand(help, main)
