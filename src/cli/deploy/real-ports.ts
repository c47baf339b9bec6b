// The ports of a deployment from this machine.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as z from 'zod'
import { knownCrons } from '../../cron/schedule.ts'
import { migrate } from '../../dev/lib/migrate.ts'
import { ownerUrl } from '../../dev/lib/owner-url.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'
import { describeReport, describeResult } from '../lib/checks.ts'
import { cloudflareApi, type CloudflareApi } from '../lib/cloudflare-api.ts'
import { type Cloudflare, createCloudflare, wranglerOptions } from '../lib/cloudflare.ts'
import { type DeployedEnvironment, readDeployedConfig } from '../lib/deployed-config.ts'
import { runPreflight } from '../preflight/run.ts'
import { runSmoke } from '../smoke/run.ts'
import { versionAsker, versionOverride } from './ask-version.ts'
import { pendingMigrations } from './pending.ts'
import type { DeployPorts, ErrorRateSource, Judgement } from './ports.ts'
import { type StateStore, stateStore } from './state.ts'

const run = promisify(execFile)
const messageCharacters = 100
const packageSchema = z.object({ version: z.string() })

export interface PortChoices {
  readonly judgement: Judgement
  readonly tested: string | null
  readonly backupTo: string | null
  /** Aborts when the operator interrupts the command. */
  readonly signal: AbortSignal
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const pause = (milliseconds: number): Promise<void> => delay(milliseconds)

/** The commit as the version's tag, such as `1.2.0+0123456789ab`, and its subject as the message. */
async function notes(): Promise<{ tag: string; message: string }> {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: projectFolder })).stdout.trim()
  const [commit, subject, changes] = await Promise.all([
    git('rev-parse', '--short=12', 'HEAD'),
    git('log', '-1', '--format=%s'),
    git('status', '--porcelain'),
  ])
  const { version } = packageSchema.parse(JSON.parse(await readFile(join(projectFolder, 'package.json'), 'utf8')))
  return {
    tag: `${version}+${commit}${changes === '' ? '' : '.changed'}`,
    message: subject.slice(0, messageCharacters) || commit,
  }
}

/** The account that wrangler uses; null where the credentials reach several and none is chosen. */
async function accountIdOf(cloudflare: Cloudflare): Promise<string | null> {
  if (!process.env['CLOUDFLARE_API_TOKEN'] || process.env['CLOUDFLARE_ACCOUNT_ID']) return null
  const accounts = await cloudflare.accounts()
  return accounts.length === 1 ? (accounts[0]?.id ?? null) : null
}

/** What Cloudflare says, else what the last deployment from this machine left. */
function liveCronsOf(api: CloudflareApi | null, store: StateStore): DeployPorts['liveCrons'] {
  return async () => {
    try {
      if (api !== null) return await api.crons()
    } catch (error) {
      print(`  ${error instanceof Error ? error.message : String(error)}`)
    }
    const loaded = await store.load()
    if (loaded.kind !== 'found') return null
    const { phase, crons, cronsBefore } = loaded.state
    return phase === 'done' ? crons : phase === 'rolled_back' ? cronsBefore : null
  }
}

function analytics(api: CloudflareApi | null): ErrorRateSource[] {
  if (api === null) return []
  return [
    { name: "Cloudflare's analytics", readErrorRate: (version, since) => api.requestsOf(version, since, new Date()) },
  ]
}

export async function deployPorts(environment: DeployedEnvironment, choices: PortChoices): Promise<DeployPorts> {
  const { judgement, tested, backupTo, signal } = choices
  const config = await readDeployedConfig(environment)
  const cloudflare = createCloudflare(environment, wranglerOptions(process.env))
  const store = stateStore(environment)
  const url = ownerUrl()
  const api = cloudflareApi(config, await accountIdOf(cloudflare), process.env)
  return {
    config,
    cloudflare,
    store,
    judgement,
    preflight: async () => {
      const onResult = (result: Parameters<typeof describeResult>[0]): void => print(describeResult(result))
      const report = await runPreflight(environment, { tested, backupTo, signal, onResult, ports: { cloudflare } })
      print(describeReport(report))
      if (!report.ok) throw new Error('The preflight failed: nothing was changed.')
    },
    pending: () => pendingMigrations(url),
    migrate: () => migrate(url),
    notes,
    knownCrons,
    liveCrons: liveCronsOf(api, store),
    ask: versionAsker(config.url, config.workerName),
    smoke: async (version, override) => {
      const headers = override === null ? {} : versionOverride(config.workerName, override)
      const token = process.env['SMOKE_TOKEN'] || undefined
      const report = await runSmoke({ url: config.url, headers, token, version }, { signal })
      for (const result of report.results) if (result.status !== 'pass') print(describeResult(result))
      if (!report.ok) throw new Error(`The smoke test failed: ${describeReport(report)}`)
    },
    sources: analytics(api),
    now: () => new Date(),
    throwIfInterrupted: () => signal.throwIfAborted(),
    wait: (milliseconds) => delay(milliseconds, undefined, { signal }),
    pause,
    print,
  }
}

/** For `rollback`, which needs neither a database nor a preflight. */
export async function rollbackPorts(
  environment: DeployedEnvironment,
): Promise<Pick<DeployPorts, 'cloudflare' | 'store' | 'pause' | 'print' | 'config'>> {
  return {
    config: await readDeployedConfig(environment),
    cloudflare: createCloudflare(environment, wranglerOptions(process.env)),
    store: stateStore(environment),
    pause,
    print,
  }
}
