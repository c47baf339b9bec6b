// A deployment as a process, which the fake wrangler kills.
import { versionAsker } from '../../../../src/cli/deploy/ask-version.ts'
import { deploy } from '../../../../src/cli/deploy/run.ts'
import { stateStore } from '../../../../src/cli/deploy/state.ts'
import { createCloudflare, wranglerOptions } from '../../../../src/cli/lib/cloudflare.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'

const config = readDeployedConfig('staging')
let clock = 0
const wait = (milliseconds: number): Promise<void> => {
  clock += milliseconds
  return Promise.resolve()
}
const nothing = (): Promise<void> => Promise.resolve()

await deploy(
  {
    config,
    cloudflare: createCloudflare('staging', wranglerOptions(process.env)),
    store: stateStore('staging', process.env['DEPLOY_FOLDER']),
    judgement: { minRequests: 5, maxErrorRate: 0.01, watchMs: 60_000, patienceMs: 60_000, everyMs: 10_000 },
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
    wait,
    pause: wait,
    print: () => undefined,
  },
  { allowContract: [], atOnce: false },
)
