// Takes a failed or interrupted deployment back to the traffic table from before.
import type { Share } from '../lib/cloudflare.ts'
import type { DeployPorts } from './ports.ts'
import type { DeployState } from './state.ts'
import { describeTraffic, ForeignDeploymentError, isSameTraffic, restoreTraffic, withTraffic } from './traffic.ts'

type UndoPorts = Pick<DeployPorts, 'cloudflare' | 'store' | 'pause' | 'print' | 'config'>

/** Whether only versions of this deployment have traffic. */
const isOurs = (found: readonly Share[], { before, version }: DeployState): boolean =>
  found.every(
    ({ versionId, percentage }) =>
      percentage === 0 || versionId === version || before?.some((share) => share.versionId === versionId) === true,
  )

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The crons from before, where this deployment replaced them. */
async function restoreCrons({ cloudflare, config }: UndoPorts, { cronsBefore }: DeployState): Promise<void> {
  const isReplaced = cronsBefore !== null && cronsBefore.toSorted().join() !== config.crons.toSorted().join()
  if (isReplaced) await cloudflare.deployTriggers(cronsBefore)
}

/**
 * @returns what the state of the traffic is now, for the operator
 * @throws Error if the traffic could not be brought back
 */
export async function undo(ports: UndoPorts, state: DeployState, areTriggersNew: boolean): Promise<string> {
  const { cloudflare, store, pause, print } = ports
  const { before, environment } = state
  if (before === null) return 'There was no version before this one.'
  try {
    const found = await cloudflare.traffic()
    if (found !== null && !isOurs(found, state))
      return `Nothing was changed back, because another deployment runs: ${describeTraffic(found)}.`
    if (!isSameTraffic(found, before))
      await restoreTraffic(cloudflare, before, { message: 'rolled back by deploy', wait: pause })
    if (areTriggersNew) await restoreCrons(ports, state)
  } catch (error) {
    throw new Error(
      `THE ROLLBACK FAILED TOO: ${textOf(error)}\nThe traffic must become ${describeTraffic(before)}. Try ` +
        `\`npm run rollback -- --env ${environment}\`, or set it in Cloudflare's dashboard under Deployments.`,
      { cause: error },
    )
  }
  await store.save({ ...state, phase: 'rolled_back' })
  const text = `The traffic is as before: ${describeTraffic(before)}.`
  print(text)
  return text
}

/** Runs the steps of a deployment. If one fails, undoes them and says both. */
export async function undoOnFailure<T>(
  ports: UndoPorts,
  current: () => { state: DeployState; areTriggersNew: boolean },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ForeignDeploymentError) throw error
    ports.print(`FAILED: ${textOf(error)}`)
    const { state, areTriggersNew } = current()
    let outcome: string
    try {
      outcome = await undo(ports, state, areTriggersNew)
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
    print('The last deployment ended before its triggers: they are applied now.')
    // The crons of that deployment: wrangler.toml may be that of a newer release by now.
    await cloudflare.deployTriggers(state.crons)
    await store.save({ ...state, phase: 'done' })
  } else if (state.phase === 'moving') {
    print('The last deployment was interrupted.')
    print(await undo(ports, state, false))
  }
}
