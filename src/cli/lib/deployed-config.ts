// What wrangler.toml declares for an environment that is deployed, as wrangler itself reads the file.
import { join } from 'node:path'
import * as z from 'zod'
import { deployedEnvironments } from '../../dev/lib/bundle.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { misuse } from '../../dev/lib/run-command.ts'

export type DeployedEnvironment = (typeof deployedEnvironments)[number]

const configSchema = z.object({
  name: z.string(),
  routes: z.array(z.object({ pattern: z.string() }).loose()).min(1),
  vars: z.record(z.string(), z.unknown()),
  secrets: z.object({ required: z.array(z.string()) }),
  triggers: z.object({ crons: z.array(z.string()) }),
  queues: z.object({ consumers: z.array(z.object({ queue: z.string() })) }),
  r2_buckets: z.array(z.object({ binding: z.string(), bucket_name: z.string() })),
  migrations: z.array(z.object({ tag: z.string() }).loose()),
})

export interface DeployedConfig {
  readonly environment: DeployedEnvironment
  /** The Worker's name at Cloudflare. */
  readonly workerName: string
  /** `https://` and the host of its route. */
  readonly url: string
  readonly variables: Readonly<Record<string, string>>
  readonly requiredSecrets: readonly string[]
  readonly crons: readonly string[]
  readonly queues: readonly string[]
  readonly buckets: readonly string[]
  /** The newest Durable Object migration. */
  readonly migrationTag: string | null
}

const textsOf = (variables: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

/** The environment that `--env` names. */
export function deployedEnvironment(name: string | undefined): DeployedEnvironment {
  const found = deployedEnvironments.find((environment) => environment === name)
  if (found === undefined) throw misuse('Say with --env which environment: staging or production.')
  return found
}

export async function readDeployedConfig(
  environment: DeployedEnvironment,
  file = join(projectFolder, 'wrangler.toml'),
): Promise<DeployedConfig> {
  // Loaded on use: it takes a second, which a command's help does not need.
  const { unstable_readConfig: readConfig } = await import('wrangler')
  const config = configSchema.parse(readConfig({ config: file, env: environment }, { hideWarnings: true }))
  const host = config.routes[0]?.pattern.replace(/\/.*$/, '') ?? ''
  return {
    environment,
    workerName: config.name,
    url: `https://${host}`,
    variables: textsOf(config.vars),
    requiredSecrets: config.secrets.required,
    crons: config.triggers.crons,
    queues: config.queues.consumers.map(({ queue }) => queue),
    buckets: config.r2_buckets.map(({ bucket_name: name }) => name),
    migrationTag: config.migrations.at(-1)?.tag ?? null,
  }
}
