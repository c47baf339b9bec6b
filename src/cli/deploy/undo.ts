// Takes a failed or interrupted deployment back to the traffic table from before.
import type { Share } from '../lib/cloudflare.ts'
import type { DeployPorts } from './ports.ts'
import type { DeployState } from './state.ts'
import {
  describeTraffic,
  ForeignDeploymentError,
  insist,
  isSameTraffic,
  restoreTraffic,
  withTraffic,
} from './traffic.ts'

type UndoPorts = Pick<DeployPorts, 'cloudflare' | 'store' | 'pause' | 'print'>

const reads = 5
const readPauseMs = 2000

/** Whether only versions of this deployment have traffic. */
const isOurs = (found: readonly Share[], { before, version }: DeployState): boolean =>
  found.every(
    ({ versionId, percentage }) =>
      percentage === 0 || versionId === version || before?.some((share) => share.versionId === versionId) === true,
  )

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The version of this deployment: where wrangler failed before it named one, the version with its notes that has traffic. */
async function ownVersion({ cloudflare, pause }: UndoPorts, { version, atOnce }: DeployState): Promise<string | null> {
  if (version !== null || atOnce === undefined) return version
  for (let read = 1; read <= reads; read += 1) {
    const [found] = withTraffic((await insist(() => cloudflare.traffic(), pause)) ?? [])
    if (found !== undefined && found.versionId !== atOnce.serving) {
      const { tag, message } = await cloudflare.version(found.versionId)
      return tag === atOnce.tag && message === atOnce.message ? found.versionId : null
    }
    // A read can be older than the change.
    await pause(readPauseMs)
  }
  return null
}

/** The state with the version, and without a way back if the version applied a Durable Object migration. */
async function withVersion(ports: UndoPorts, state: DeployState): Promise<DeployState> {
  const version = await ownVersion(ports, state)
  const [serving] = state.before ?? []
  if (version === null || state.version !== null || serving === undefined) return { ...state, version }
  const { cloudflare } = ports
  const [now, before] = [await cloudflare.version(version), await cloudflare.version(serving.versionId)]
  if (now.migrationTag === before.migrationTag) return { ...state, version }
  return { ...state, version, before: null, noWayBack: 'migration' }
}

/** Brings back the crons from before, where this deployment replaced them. Returns what the operator must know. */
async function restoreCrons({ cloudflare, pause }: UndoPorts, state: DeployState): Promise<string> {
  const { areTriggersNew, cronsBefore, crons, environment } = state
  if (areTriggersNew !== true) return ''
  if (cronsBefore === null)
    return (
      ' The crons can be those of this deployment, because the ones from before are not known. To restore them, check out the ' +
      `release from before and run \`npx wrangler triggers deploy --env ${environment}\`.`
    )
  if (cronsBefore.toSorted().join() !== crons.toSorted().join())
    await insist(() => cloudflare.deployTriggers(cronsBefore), pause)
  return ''
}

/** What a deployment without a way back left. */
function describeNoWayBack({ version, noWayBack }: DeployState, found: readonly Share[] | null): string {
  const traffic = `The traffic is ${describeTraffic(found)}.`
  if (noWayBack !== 'migration') return `There was no version before this one. ${traffic}`
  if (found?.some(({ versionId }) => versionId === version) !== true)
    return `The version of this deployment has no traffic. ${traffic}`
  return (
    `There is no way back, because Cloudflare does not go back over a Durable Object migration. ${traffic} Repair the fault ` +
    'and deploy again.'
  )
}

/**
 * @returns what the state of the traffic is now, for the operator
 * @throws Error if the traffic could not be brought back
 */
export async function undo(ports: UndoPorts, kept: DeployState): Promise<string> {
  const { cloudflare, store, pause, print } = ports
  let state: DeployState = { ...kept, phase: 'moving' }
  let note: string
  try {
    // A process that ends in here continues with this, and not with the triggers. A full disk must not stop it.
    await store.save(state).catch((error: unknown) => print(`The state cannot be saved: ${textOf(error)}`))
    state = await withVersion(ports, state)
    const { before } = state
    const found = await insist(() => cloudflare.traffic(), pause)
    if (before === null) return describeNoWayBack(state, found)
    if (found !== null && !isOurs(found, state))
      return `Nothing was changed back, because another deployment runs: ${describeTraffic(found)}.`
    await restoreTraffic(cloudflare, before, { message: 'rolled back by deploy', wait: pause })
    note = await restoreCrons(ports, state)
  } catch (error) {
    const { before, environment } = state
    const wanted = before === null ? '' : `The traffic must become ${describeTraffic(before)}. `
    throw new Error(
      `THE ROLLBACK FAILED TOO: ${textOf(error)}\n${wanted}Try \`npm run rollback -- --env ${environment}\`, or set it in ` +
        "Cloudflare's dashboard under Deployments.",
      { cause: error },
    )
  }
  await store.save({ ...state, phase: 'rolled_back' })
  const text = `The traffic is as before: ${describeTraffic(state.before)}.${note}`
  print(text)
  return text
}

/** Runs the steps of a deployment. If one fails, undoes them and says both. */
export async function undoOnFailure<T>(
  ports: UndoPorts,
  current: () => DeployState,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ForeignDeploymentError) throw error
    ports.print(`FAILED: ${textOf(error)}`)
    let outcome: string
    try {
      outcome = await undo(ports, current())
    } catch (failure) {
      throw new Error(`${textOf(error)}\n${textOf(failure)}`, { cause: failure })
    }
    throw new Error(`${textOf(error)}\n${outcome}`, { cause: error })
  }
}

/** Finishes or undoes what an earlier deployment left when its process ended. */
export async function recover(ports: UndoPorts): Promise<void> {
  const { cloudflare, store, print } = ports
  const loaded = await store.load()
  if (loaded.kind === 'none') return
  if (loaded.kind === 'damaged') {
    const found = await cloudflare.traffic()
    if (found !== null && withTraffic(found).length > 1)
      throw new Error(
        `${loaded.file} is damaged, and two versions have traffic: ${describeTraffic(found)}. Say which one is right with ` +
          `\`npm run rollback -- --env ${cloudflare.environment} --to VERSION\`.`,
      )
    print(`The file of the last deployment is damaged. It is kept as ${await store.setAside()}.`)
    return
  }
  const { state } = loaded
  if (state.phase === 'proven') {
    const wanted = state.version === null ? null : [{ versionId: state.version, percentage: 100 }]
    if (!isSameTraffic(await cloudflare.traffic(), wanted))
      return print('The last deployment ended before its triggers, and another one followed: they stay as they are.')
    print('The last deployment ended before its triggers: they are applied now.')
    // The crons of that deployment: wrangler.toml may be that of a newer release by now.
    await cloudflare.deployTriggers(state.crons)
    await store.save({ ...state, phase: 'done' })
  } else if (state.phase === 'moving') {
    print('The last deployment was interrupted.')
    print(await undo(ports, state))
  }
}
