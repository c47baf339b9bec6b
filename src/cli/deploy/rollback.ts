// Brings back the traffic table that the last deployment kept, or sends all traffic to a named version.
import { ChangedSecretsError, type Deployment, type Share } from '../lib/cloudflare.ts'
import type { DeployPorts } from './ports.ts'
import type { DeployState } from './state.ts'
import { describeTraffic, isSameTraffic, restoreTraffic, servedBefore } from './traffic.ts'

export type RollbackPorts = Pick<DeployPorts, 'cloudflare' | 'store' | 'pause' | 'print' | 'config'>

export interface RollbackOptions {
  /** A version; by default the kept traffic table. */
  readonly to?: string | undefined
  /** Also brings back the secrets of that time. */
  readonly withOldSecrets: boolean
}

interface Target {
  readonly shares: readonly Share[]
  /** The crons of that time; null if they are unknown. */
  readonly crons: readonly string[] | null
}

/** Why the last deployment kept no way back. */
const foundWithout = {
  first: 'The last deployment was the first one',
  migration:
    'The last deployment had a Durable Object migration, and Cloudflare does not go back over one: repair the fault and run ' +
    '`npm run deploy`',
  unknown: 'The last deployment kept no traffic table',
}

/**
 * Whether the file is of an older deployment: what the steps of another one left has traffic. A change of secrets also makes
 * another version, but no steps.
 */
const isOutdated = ({ version, before }: DeployState, deployment: Deployment): boolean =>
  servedBefore(deployment) !== null &&
  version !== null &&
  !isSameTraffic(deployment.shares, before) &&
  !deployment.shares.some(({ versionId }) => versionId === version)

async function findTarget(ports: RollbackPorts, to: string | undefined, found: Deployment): Promise<Target> {
  const { store, cloudflare, print } = ports
  const loaded = await store.load()
  const kept = loaded.kind === 'found' ? loaded.state : null
  if (to !== undefined) {
    const isKept = kept?.before?.some(({ versionId }) => versionId === to) === true
    return { shares: [{ versionId: to, percentage: 100 }], crons: isKept ? kept.cronsBefore : null }
  }
  const outdated = kept !== null && isOutdated(kept, found)
  if (kept?.before != null && !outdated) return { shares: kept.before, crons: kept.cronsBefore }
  const why = {
    none: 'No deployment kept a traffic table here',
    damaged: `${store.file} is damaged`,
    found: outdated ? `${store.file} is of an older deployment` : foundWithout[kept?.noWayBack ?? 'unknown'],
  }[loaded.kind]
  const before = servedBefore(found)
  if (before !== null && (kept === null || outdated)) {
    print(`${why}. At Cloudflare, the deployment says that ${before} served before it.`)
    return { shares: [{ versionId: before, percentage: 100 }], crons: null }
  }
  const versions = (await cloudflare.versions()).map(({ id, createdOn, tag }) => `  ${id}  ${createdOn}  ${tag ?? ''}`)
  throw new Error(`${why}. Name a version with --to:\n${versions.join('\n')}`)
}

/** Cloudflare refuses to go back over a Durable Object migration, because the stored objects stay as they are. */
async function refuseOverMigration(
  { cloudflare }: RollbackPorts,
  now: readonly Share[],
  target: readonly Share[],
): Promise<void> {
  const tags = async (shares: readonly Share[]): Promise<Set<string | null>> =>
    new Set(
      (await Promise.all(shares.map(({ versionId }) => cloudflare.version(versionId)))).map(
        ({ migrationTag }) => migrationTag,
      ),
    )
  const [current, wanted] = [await tags(now), await tags(target)]
  const over = [...wanted].find((tag) => !current.has(tag))
  if (over === undefined) return
  throw new Error(
    `That version is from before the Durable Object migration ${[...current].join(', ')} (it has ${over ?? 'none'}), and ` +
      'Cloudflare does not go back over one. Deploy a version that repairs the fault: `npm run deploy`.',
  )
}

async function restore(ports: RollbackPorts, { shares }: Target, withOldSecrets: boolean): Promise<void> {
  const { cloudflare, pause, config } = ports
  const message = 'rolled back'
  const [only] = shares
  if (withOldSecrets && shares.length === 1 && only !== undefined)
    return await cloudflare.rollBack(only.versionId, message)
  try {
    await restoreTraffic(cloudflare, shares, { message, wait: pause })
  } catch (error) {
    if (!(error instanceof ChangedSecretsError)) throw error
    throw new Error(
      `${error.message}\nThe version brings back its old secrets: --with-old-secrets accepts that, then set the new ones ` +
        `again with \`npm run setup -- --env ${config.environment}\`.`,
      { cause: error },
    )
  }
}

async function rollbackLocked(ports: RollbackPorts, { to, withOldSecrets }: RollbackOptions): Promise<void> {
  const { cloudflare, store, print, config } = ports
  const deployment = await cloudflare.deployment()
  if (deployment === null) throw new Error(`There is no Worker ${config.workerName}.`)
  const target = await findTarget(ports, to, deployment)
  const found = deployment.shares
  print(`The traffic is ${describeTraffic(found)}.`)
  if (isSameTraffic(found, target.shares)) print('It is already what it should be.')
  else {
    await refuseOverMigration(ports, found, target.shares)
    await restore(ports, target, withOldSecrets)
    print(`The traffic is ${describeTraffic(target.shares)}.`)
  }
  if (target.crons !== null) {
    await cloudflare.deployTriggers(target.crons)
    print('The crons are those of that time.')
  } else print('The crons stay as they are: older code logs `job_not_started` for one that it does not know.')
  const loaded = await store.load()
  if (loaded.kind === 'found') await store.save({ ...loaded.state, phase: 'rolled_back' })
}

/** @throws Error that says what the operator can do */
export async function rollback(ports: RollbackPorts, options: RollbackOptions): Promise<void> {
  const unlock = await ports.store.lock()
  try {
    await rollbackLocked(ports, options)
  } finally {
    await unlock()
  }
}
