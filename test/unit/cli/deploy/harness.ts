// A deployment over an invented account, its edge on loopback, and a clock that does not wait.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { versionAsker, versionOverride } from '../../../../src/cli/deploy/ask-version.ts'
import type { DeployOptions, DeployPorts } from '../../../../src/cli/deploy/ports.ts'
import { deploy } from '../../../../src/cli/deploy/run.ts'
import { type DeployState, type StateStore, stateStore } from '../../../../src/cli/deploy/state.ts'
import { type Cloudflare, createCloudflare } from '../../../../src/cli/lib/cloudflare.ts'
import { readDeployedConfig } from '../../../../src/cli/lib/deployed-config.ts'
import { createFakeCloudflare, type FakeCloudflare } from '../../../support/cloudflare/fake.ts'
import { type EdgeServer, startEdge } from '../../../support/cloudflare/edge-server.ts'

export const config = await readDeployedConfig('staging')
const { workerName, requiredSecrets } = config

/** The versions that a test uploads, in order. */
export const [first, second, third] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
  string,
  string,
  string,
]

export interface Harness {
  readonly fake: FakeCloudflare
  readonly edge: EdgeServer
  readonly cloudflare: Cloudflare
  readonly store: StateStore
  readonly folder: string
  readonly printed: string[]
  /** What the steps that are not Cloudflare's did, in order. */
  readonly steps: string[]
  readonly ports: (change?: Partial<DeployPorts>) => DeployPorts
  readonly run: (change?: Partial<DeployPorts>, options?: Partial<DeployOptions>) => Promise<string>
  /** `{ version: percentage }` of the current deployment. */
  readonly traffic: () => Record<string, number>
  readonly state: () => Promise<DeployState | null>
  readonly end: () => Promise<void>
}

export async function createHarness(): Promise<Harness> {
  const fake = await createFakeCloudflare()
  const edge = await startEdge(fake.folder, workerName)
  const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-deploy-'))
  const cloudflare = createCloudflare('staging', fake.options, fake.start)
  const store = stateStore('staging', folder)
  const printed: string[] = []
  const steps: string[] = []
  let clock = Date.parse('2026-12-01T00:00:00Z')
  const wait = (milliseconds: number): Promise<void> => {
    clock += milliseconds
    return Promise.resolve()
  }
  fake.change((account) => void account.nextIds.push('draft', first, second, third))
  const smoke = async (_: string, override: string | null): Promise<void> => {
    steps.push(`smoke ${override ?? 'all'}`)
    const headers = override === null ? {} : versionOverride(workerName, override)
    const response = await fetch(`${edge.url}/health`, { headers })
    if (response.status !== 200) throw new Error(`The smoke test failed: ${response.status}.`)
  }
  const ports = (change: Partial<DeployPorts> = {}): DeployPorts => ({
    config,
    cloudflare,
    store,
    judgement: { minRequests: 20, maxErrorRate: 0.05, watchMs: 300_000, extraMs: 300_000, everyMs: 10_000 },
    preflight: () => Promise.resolve(void steps.push('preflight')),
    pending: () => Promise.resolve({ isEmpty: false, migrations: [] }),
    migrate: () => Promise.resolve(void steps.push('migrate')),
    notes: () => Promise.resolve({ tag: 'v1.2.3', message: 'a release' }),
    knownCrons: config.crons,
    liveCrons: () => Promise.resolve(fake.account().workers[workerName]?.crons ?? null),
    ask: versionAsker(edge.url, workerName),
    smoke,
    sources: [],
    now: () => new Date(clock),
    throwIfInterrupted: () => undefined,
    wait,
    pause: wait,
    print: (line) => void printed.push(line),
    ...change,
  })
  return {
    fake,
    edge,
    cloudflare,
    store,
    folder,
    printed,
    steps,
    ports,
    run: (change, options) => deploy(ports(change), { allowContract: [], atOnce: false, ...options }),
    traffic: () =>
      Object.fromEntries(
        (fake.account().workers[workerName]?.deployments.at(-1)?.versions ?? []).map((share) => [
          share.version_id,
          share.percentage,
        ]),
      ),
    state: async () => {
      const loaded = await store.load()
      return loaded.kind === 'found' ? loaded.state : null
    },
    end: async () => {
      await edge.end()
      await fake.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A Worker that serves `first`, as an earlier release left it. */
export async function withRelease(): Promise<Harness> {
  const harness = await createHarness()
  await harness.cloudflare.putSecrets(Object.fromEntries(requiredSecrets.map((name) => [name, name])))
  await harness.cloudflare.deployAtOnce({ tag: 'v1.0.0', message: 'the release before' })
  return harness
}
