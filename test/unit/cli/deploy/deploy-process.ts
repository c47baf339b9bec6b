// A deployment as a process, which the fake wrangler kills, or which a test interrupts while it waits.
import { setTimeout as delay } from 'node:timers/promises'
import { interruption } from '../../../../src/cli/deploy/interruption.ts'
import { versionAsker } from '../../../../src/cli/deploy/ask-version.ts'
import { deploy } from '../../../../src/cli/deploy/run.ts'
import { stateStore } from '../../../../src/cli/deploy/state.ts'
import { createCloudflare, wranglerOptions } from '../../../../src/cli/lib/cloudflare.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'

const config = await readDeployedConfig('staging')
let clock = 0
const wait = (milliseconds: number): Promise<void> => {
  clock += milliseconds
  return Promise.resolve()
}
const signal = process.env['DEPLOY_INTERRUPTIBLE'] === undefined ? null : interruption()
const waitForSignal = (): Promise<void> => {
  process.stdout.write('WAITS\n')
  return delay(60_000, undefined, { signal: signal ?? undefined })
}
const nothing = (): Promise<void> => Promise.resolve()

await deploy(
  {
    config,
    cloudflare: createCloudflare('staging', wranglerOptions(process.env)),
    store: stateStore('staging', process.env['DEPLOY_FOLDER']),
    judgement: { minRequests: 5, maxErrorRate: 0.01, watchMs: 60_000, extraMs: 60_000, everyMs: 10_000 },
    preflight: nothing,
    pending: () => Promise.resolve({ isEmpty: false, migrations: [] }),
    migrate: nothing,
    notes: () => Promise.resolve({ tag: 'killed', message: 'killed' }),
    knownCrons: config.crons,
    liveCrons: () => Promise.resolve(config.crons),
    ask: versionAsker(process.env['EDGE_URL'] ?? '', config.workerName),
    smoke: nothing,
    sources: [],
    now: () => new Date(clock),
    throwIfInterrupted: () => undefined,
    wait: signal === null ? wait : waitForSignal,
    pause: wait,
    print: (line) => void process.stdout.write(`${line}\n`),
  },
  { allowContract: [], atOnce: process.env['DEPLOY_AT_ONCE'] !== undefined },
)
