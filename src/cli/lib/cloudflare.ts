// The one port to Cloudflare: every command that talks to an account does it through this, and this runs the pinned
// wrangler. Tests give it a wrangler that responds from a file.
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buildConsole } from '../../dev/lib/console-build.ts'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { runWrangler, type WranglerOptions } from '../../dev/lib/wrangler.ts'
import {
  accountsIn,
  bucketNamesIn,
  type Deployment,
  deploymentIn,
  detailIn,
  type Lock,
  locksIn,
  secretNamesIn,
  type Share,
  uploadedVersionIn,
  type Version,
  type VersionDetail,
  versionsIn,
} from './cloudflare-output.ts'
import type { DeployedEnvironment } from './deployed-config.ts'

export type { Deployment, Lock, Share, Version, VersionDetail } from './cloudflare-output.ts'

export interface UploadNotes {
  /** At most 100 characters of a commit or a release. */
  readonly tag: string
  readonly message: string
}

export interface Cloudflare {
  readonly environment: DeployedEnvironment
  /** The accounts that the credentials reach. */
  accounts: () => Promise<{ id: string; name: string }[]>

  /** The current deployment; null if the Worker does not exist or nothing was deployed. */
  deployment: () => Promise<Deployment | null>
  /** Its traffic table. */
  traffic: () => Promise<readonly Share[] | null>
  /** The ten newest versions, oldest first. */
  versions: () => Promise<Version[]>
  version: (id: string) => Promise<VersionDetail>
  /**
   * Builds and uploads a version that gets no traffic.
   * @throws PendingMigrationError if wrangler.toml has a Durable Object migration that was not applied
   */
  uploadVersion: (notes: UploadNotes) => Promise<string>
  /** Builds, uploads and sends all traffic to the version at once. Applies Durable Object migrations and triggers. */
  deployAtOnce: (notes: UploadNotes) => Promise<string>
  /**
   * Distributes the traffic over one or two versions.
   * @throws ChangedSecretsError if a version has other secrets than the Worker has now
   */
  setTraffic: (shares: readonly Share[], message: string) => Promise<void>
  /** Sends all traffic to a version, with the secrets that it was uploaded with. */
  rollBack: (versionId: string, message: string) => Promise<void>
  /** Applies the routes, queue consumers and crons of wrangler.toml, or these crons instead, which can be none. */
  deployTriggers: (crons?: readonly string[]) => Promise<void>

  /** The names of the Worker's secrets; null if the Worker does not exist. */
  secretNames: () => Promise<string[] | null>
  /** Sets secrets. Creates a Worker without code if there is none. The values go through a pipe, never a file. */
  putSecrets: (secrets: Readonly<Record<string, string>>) => Promise<void>

  hasQueue: (name: string) => Promise<boolean>
  createQueue: (name: string, retentionSeconds: number) => Promise<void>
  bucketNames: () => Promise<string[]>
  createBucket: (name: string) => Promise<void>
  locks: (bucket: string) => Promise<Lock[]>
  addLock: (bucket: string, lock: { name: string; prefix: string; days: number }) => Promise<void>
}

/** A Durable Object migration was not applied yet, and a version cannot apply it. */
export class PendingMigrationError extends Error {}

/** The secrets of a version differ from those of the Worker. */
export class ChangedSecretsError extends Error {}

const timeoutMs = 300_000
const noWorker = /\[code: (?:10007|10090)\]|Worker "[^"]*"[^\n]* not found|has no deployments/
const pendingMigration = /pending Durable Object migration/
const changedSecrets = /\[code: 10220\]/
/** Wrangler then advises a temporary account, in which nothing of a deployment may be. */
const notLoggedIn = /necessary to set a CLOUDFLARE_API_TOKEN|not logged in|You are not authenticated/i
const loginRemedy =
  'wrangler has no access to Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN (docs/deployment.md, step 4).'
const noQueue = /Queue "[^"]*" does not exist/

async function nullIf<T>(pattern: RegExp, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && pattern.test(error.message)) return null
    throw error
  }
}

async function renamed<T>(pattern: RegExp, Kind: new (message: string) => Error, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && pattern.test(error.message)) throw new Kind(error.message)
    throw error
  }
}

class NoAccessError extends Error {
  constructor() {
    super(loginRemedy)
  }
}

/** Runs wrangler for one environment, with a folder for its log and its events that ends with the command. */
function runner(environment: DeployedEnvironment, options: WranglerOptions, begin: typeof runWrangler) {
  const start: typeof runWrangler = (...given) => renamed(notLoggedIn, NoAccessError, () => begin(...given))
  const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-wrangler-'))
    try {
      return await work(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  const run = (args: readonly string[], more: WranglerOptions = {}): Promise<string> =>
    inFolder((folder) => start([...args, '--env', environment], folder, { timeoutMs, ...options, ...more }))
  /** The id of the version that the command uploads. */
  const upload = (args: readonly string[]): Promise<string> =>
    inFolder(async (folder) => {
      const events = join(folder, 'events.ndjson')
      const variables = { ...options.variables, WRANGLER_OUTPUT_FILE_PATH: events }
      const printed = await start([...args, '--env', environment], folder, { timeoutMs, ...options, variables })
      return uploadedVersionIn((await readFile(events, 'utf8').catch(nullIfMissing)) ?? '', printed)
    })
  return { run, upload }
}

/**
 * Runs `work` with a copy of the configuration that has no crons, because wrangler's `--triggers` cannot say "none". The copy
 * is in the folder of the original, because its paths are relative.
 */
async function withoutCrons(
  environment: DeployedEnvironment,
  config = join(projectFolder, 'wrangler.toml'),
  work: (config: string) => Promise<void>,
): Promise<void> {
  const text = await readFile(config, 'utf8')
  const changed = text.replace(
    new RegExp(String.raw`^(\[env\.${environment}\.triggers\]\s+crons = \[)[^\]]*\]`, 'm'),
    '$1]',
  )
  if (changed === text)
    throw new Error(
      `Delete the crons of ${environment} in Cloudflare's dashboard: ${config} does not list them as expected.`,
    )
  const copy = join(dirname(config), `.wrangler.${process.pid}.toml`)
  try {
    await writeFile(copy, changed)
    await work(copy)
  } finally {
    await rm(copy, { force: true })
  }
}

let consoleFolder: Promise<string> | null = null

/** The folder of the console that belongs to the Worker's sources, which is built once and removed with the process. */
async function builtConsole(): Promise<string> {
  consoleFolder ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-console-'))
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
    return (await buildConsole(folder, { strict: true })).folder
  })()
  try {
    return await consoleFolder
  } catch (error) {
    consoleFolder = null
    throw error
  }
}

const notesOf = ({ tag, message }: UploadNotes): string[] => ['--tag', tag, '--message', message]
const shareText = ({ versionId, percentage }: Share): string => `${versionId}@${percentage}%`

/** WRANGLER names a script that Node runs instead of the pinned wrangler. */
export function wranglerOptions(environment: NodeJS.ProcessEnv): WranglerOptions {
  const program = environment['WRANGLER']
  return program ? { program } : {}
}

/**
 * The port for one environment of wrangler.toml. `options` name another configuration or another wrangler, `start` runs it.
 */
export function createCloudflare(
  environment: DeployedEnvironment,
  options: WranglerOptions = {},
  start = runWrangler,
): Cloudflare {
  const { run, upload } = runner(environment, options, start)
  const deployment = (): Promise<Deployment | null> =>
    nullIf(noWorker, async () => deploymentIn(await run(['deployments', 'status', '--json'])))
  return {
    environment,
    accounts: async () => accountsIn(await run(['whoami', '--json'])),

    deployment,
    traffic: async () => (await deployment())?.shares ?? null,
    versions: async () => versionsIn(await run(['versions', 'list', '--json'])),
    version: async (id) => detailIn(await run(['versions', 'view', id, '--json'])),
    uploadVersion: (notes) =>
      renamed(pendingMigration, PendingMigrationError, async () =>
        upload(['versions', 'upload', '--strict', '--assets', await builtConsole(), ...notesOf(notes)]),
      ),
    deployAtOnce: async (notes) => upload(['deploy', '--assets', await builtConsole(), ...notesOf(notes)]),
    setTraffic: async (shares, message) => {
      const specs = shares.map(shareText)
      await renamed(changedSecrets, ChangedSecretsError, () =>
        run(['versions', 'deploy', ...specs, '--message', message, '--yes']),
      )
    },
    rollBack: async (versionId, message) => {
      await run(['rollback', versionId, '--message', message, '--yes'])
    },
    deployTriggers: async (crons) => {
      const deployed = async (config: string | undefined, given: readonly string[] = []): Promise<void> => {
        const more = config === undefined ? {} : { config }
        await run(['triggers', 'deploy', ...given.flatMap((cron) => ['--triggers', cron])], more)
      }
      if (crons?.length === 0) await withoutCrons(environment, options.config, deployed)
      else await deployed(options.config, crons)
    },

    secretNames: () => nullIf(noWorker, async () => secretNamesIn(await run(['secret', 'list', '--format', 'json']))),
    putSecrets: async (secrets) => {
      await run(['secret', 'bulk'], { input: JSON.stringify(secrets) })
    },

    hasQueue: async (name) => (await nullIf(noQueue, () => run(['queues', 'info', name]))) !== null,
    createQueue: async (name, retentionSeconds) => {
      await run(['queues', 'create', name, '--message-retention-period-secs', String(retentionSeconds)])
    },
    bucketNames: async () => bucketNamesIn(await run(['r2', 'bucket', 'list'])),
    createBucket: async (name) => {
      await run(['r2', 'bucket', 'create', name])
    },
    locks: async (bucket) => locksIn(await run(['r2', 'bucket', 'lock', 'list', bucket])),
    addLock: async (bucket, { name, prefix, days }) => {
      await run(['r2', 'bucket', 'lock', 'add', bucket, name, prefix, '--retention-days', String(days)])
    },
  }
}
