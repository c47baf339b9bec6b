// Creates what an environment needs at Cloudflare and in the database. Looks first, so it can be run again at any time.
import type { SetupPorts } from './ports.ts'
import { type SecretsOptions, setUpSecrets } from './secrets.ts'

/** Cloudflare's largest: a message of the day of an incident is still there when that has ended. */
const retentionSeconds = 14 * 86_400
const backupDays = 30
const checkpointDays = 1095

async function setUpQueues({ cloudflare, config, print }: SetupPorts): Promise<void> {
  for (const queue of config.queues) {
    const isThere = await cloudflare.hasQueue(queue)
    if (!isThere) await cloudflare.createQueue(queue, retentionSeconds)
    print(`${isThere ? 'exists' : 'created'} queue ${queue}`)
  }
}

async function setUpBuckets({ cloudflare, config, print }: SetupPorts): Promise<void> {
  const there = await cloudflare.bucketNames()
  const days = Number(config.variables['BACKUP_RETENTION_DAYS'] || backupDays)
  const wanted = [
    { name: 'backups', prefix: 'backups/', days },
    { name: 'checkpoints', prefix: 'checkpoints/', days: checkpointDays },
    { name: 'erasures', prefix: 'erasures/', days },
  ]
  for (const bucket of config.buckets) {
    const isThere = there.includes(bucket)
    if (!isThere) await cloudflare.createBucket(bucket)
    print(`${isThere ? 'exists' : 'created'} bucket ${bucket}`)
    const locks = await cloudflare.locks(bucket)
    for (const lock of wanted) {
      const found = locks.find(({ name, prefix }) => name === lock.name || prefix === lock.prefix)
      if (found === undefined) {
        await cloudflare.addLock(bucket, lock)
        print(`created lock ${lock.name} of ${bucket}: ${lock.days} days`)
      } else if (found.prefix === lock.prefix && found.condition === `after ${lock.days} days`)
        print(`exists lock ${lock.name} of ${bucket}`)
      else
        print(`DIFFERS lock ${found.name} of ${bucket}: ${found.prefix} ${found.condition}, and not ${lock.days} days`)
    }
  }
}

/** What no command can do. */
function remaining({ config, file }: SetupPorts): string[] {
  const { variables } = config
  const examples = Object.entries({ ...variables, route: config.url })
    .filter(([, value]) => /example\.com|age1example/.test(value))
    .map(([name]) => name)
  return [
    ...(examples.length > 0 ? [`Replace the examples in wrangler.toml: ${examples.join(', ')}.`] : []),
    `Copy ${file} into your vault now. Delete it after the deployment: plaid:check and preflight read it.`,
    `DNS: the zone of ${config.url} must be in this Cloudflare account; the first deployment makes the certificate.`,
    'Zone, before the first deployment: TLS 1.2, Always Use HTTPS, the firewall rule of the webhook (docs/deployment.md).',
    ...(variables['AUTH_ISSUER'] ? ['Identity provider: register the audience and the scopes of AUTH_*.'] : []),
    "Plaid's dashboard: products, redirect URIs, use case, OAuth registrations (docs/deployment.md).",
  ]
}

/** @throws Error that names the secrets which only the operator has */
export async function setUp(ports: SetupPorts, options: SecretsOptions): Promise<void> {
  const { database, print, file, config } = ports
  await setUpQueues(ports)
  await setUpBuckets(ports)
  await database?.migrateIfEmpty()
  const missing = await setUpSecrets(ports, options)
  print('\nWhat this command cannot do:')
  for (const line of remaining(ports)) print(`  - ${line}`)
  if (missing.length === 0) return
  throw new Error(
    `${missing.join(', ')} must come from you. Add to ${file}:\n  { ${missing.map((name) => `"${name}": "…"`).join(', ')} }\n` +
      `and run \`npm run setup -- --env ${config.environment}\` again.`,
  )
}
