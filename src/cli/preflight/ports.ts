// What the checks before a deployment ask, and whom. Tests give other ports.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { type Advisory, findAdvisories } from '../advisories.ts'
import { type Cloudflare, createCloudflare } from '../lib/cloudflare.ts'
import { type DeployedConfig, type DeployedEnvironment, readDeployedConfig } from '../lib/deployed-config.ts'
import { readSecrets, type Values, withoutCredentials } from '../lib/deployment-values.ts'

export interface CommandOutcome {
  readonly code: number
  readonly output: string
}

/** The part of the port to Cloudflare that reads. */
export type CloudflareReads = Pick<Cloudflare, 'secretNames' | 'hasQueue' | 'bucketNames'>

export interface PreflightPorts {
  readonly environment: DeployedEnvironment
  readonly config: DeployedConfig
  /** The secrets that are known here. Cloudflare does not show those that it has. */
  readonly secrets: Values
  readonly cloudflare: CloudflareReads
  /** The shell's variables, such as `MIGRATE_DATABASE_URL`. */
  readonly shell: Readonly<Record<string, string | undefined>>
  /** The CI run that tested this commit, or the commit; null to run the tests. */
  readonly tested: string | null
  /** Where a backup is written when the newest one is too old; null for nowhere. */
  readonly backupTo: string | null
  readonly now: () => Date
  /**
   * Runs a command in the project's folder, without the credentials of the shell: tests and linters are code of others.
   * Rejects only if it cannot be started.
   */
  readonly run: (
    file: string,
    args: readonly string[],
    variables?: Readonly<Record<string, string>>,
  ) => Promise<CommandOutcome>
  readonly findAdvisories: () => Promise<readonly Advisory[] | { readonly problem: string }>
}

export interface PortOptions {
  readonly tested?: string | null
  readonly backupTo?: string | null
  /** By default `.secrets.ENV.json`, which Git ignores. */
  readonly secretsFile?: string
  readonly ports?: Partial<PreflightPorts>
}

const maxOutputBytes = 256_000_000

export function runInProject(
  file: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandOutcome> {
  const env = { ...withoutCredentials(process.env), ...variables }
  const options = { cwd: projectFolder, env, maxBuffer: maxOutputBytes }
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], options, (error, out, errors) => {
      // An exit code is a number; a text says that the command was not run to its end.
      if (typeof error?.code === 'string') reject(error)
      else resolve({ code: child.exitCode ?? 1, output: `${out}${errors}` })
    })
  })
}

export async function preflightPorts(
  environment: DeployedEnvironment,
  { tested = null, backupTo = null, ports = {}, ...options }: PortOptions,
): Promise<PreflightPorts> {
  const shell = ports.shell ?? process.env
  const file = options.secretsFile ?? join(projectFolder, `.secrets.${environment}.json`)
  return {
    environment,
    config: ports.config ?? (await readDeployedConfig(environment)),
    secrets: ports.secrets ?? (await readSecrets(file, shell)),
    cloudflare: ports.cloudflare ?? createCloudflare(environment),
    shell,
    tested,
    backupTo,
    now: () => new Date(),
    run: runInProject,
    findAdvisories,
    ...ports,
  }
}
