// A deployment: checks, expands the database, uploads a version, and moves the traffic to it in steps that each must hold.
// What fails is undone.
import { type Deployment, PendingMigrationError, type Share } from '../lib/cloudflare.ts'
import { refuseContractions } from './pending.ts'
import type { DeployOptions, DeployPorts } from './ports.ts'
import type { DeployState } from './state.ts'
import { createMover, describeTraffic, servedBefore, stepMessage, withTraffic } from './traffic.ts'
import { recover, undoOnFailure } from './undo.ts'
import { firstReadyWithinMs, waitUntilReady, watch } from './watch.ts'

const firstPercentage = 10

/** Throws if more than one version serves. */
function refuseUnfinished({ cloudflare: { environment } }: DeployPorts, found: Deployment | null): void {
  if (found === null || withTraffic(found.shares).length < 2) return
  const before = servedBefore(found)
  const remedy =
    before === null
      ? `Finish it, or say which version is right with \`npm run rollback -- --env ${environment} --to VERSION\`.`
      : `It runs on another machine, or was interrupted there: then \`npm run rollback -- --env ${environment}\` brings ` +
        `${before} back, which served before it.`
  throw new Error(`A gradual deployment is not finished: ${describeTraffic(found.shares)}. ${remedy}`)
}

interface Start {
  readonly table: readonly Share[]
  /** The one version that serves; null before the first deployment. */
  readonly serving: string | null
  /** Whether no version has served users: there is no Worker, or one that only holds secrets. */
  readonly isFirst: boolean
  /** The newest Durable Object migration of `serving`; null if Cloudflare does not say. */
  readonly migrationTag: string | null
}

async function findStart(ports: DeployPorts, { atOnce }: DeployOptions): Promise<Start> {
  const { cloudflare, config } = ports
  const deployment = await cloudflare.deployment()
  refuseUnfinished(ports, deployment)
  const table = deployment?.shares ?? []
  const serving = withTraffic(table)[0]?.versionId ?? null
  if (serving === null) return { table, serving, isFirst: true, migrationTag: null }
  const { handlers, migrationTag } = await cloudflare.version(serving)
  const isFirst = !handlers.includes('scheduled')
  if (!isFirst && migrationTag !== null && migrationTag !== config.migrationTag && !atOnce)
    throw new PendingMigrationError(atOnceHint(`It has ${migrationTag}, and wrangler.toml ${config.migrationTag}.`))
  return { table, serving, isFirst, migrationTag }
}

const atOnceHint = (found: string): string =>
  `This release has a Durable Object migration, which Cloudflare applies to all traffic at once and never takes back. ${found} ` +
  'Deploy it with --at-once, without other changes, and after it ran in staging.'

/** The crons that Cloudflare fires stay until the triggers are replaced, so the new code must have a job for each. */
async function checkCrons({ liveCrons, knownCrons, print }: DeployPorts): Promise<readonly string[] | null> {
  const live = await liveCrons()
  if (live === null) {
    print('  The crons that fire now are not known: CLOUDFLARE_API_TOKEN lets this command read them.')
    return null
  }
  const missing = live.filter((cron) => !knownCrons.includes(cron))
  if (missing.length === 0) return live
  throw new Error(
    `The new code has no job for ${missing.map((cron) => `"${cron}"`).join(', ')}, which fires until the triggers are ` +
      'replaced. Move it to `retired` in src/cron/schedule.ts for one release.',
  )
}

/** The current state, and how to change it: each change is in the file before the step that it describes. */
function tracker({ store }: DeployPorts, start: DeployState) {
  let state = start
  return {
    current: () => state,
    set: async (change: Partial<DeployState>): Promise<void> => {
      state = { ...state, ...change }
      await store.save(state)
    },
  }
}

type Tracker = ReturnType<typeof tracker>

async function finish(ports: DeployPorts, version: string, track: Tracker): Promise<void> {
  await ports.smoke(version, null)
  await track.set({ phase: 'proven', areTriggersNew: true })
  await ports.cloudflare.deployTriggers()
  await waitUntilReady(ports, version, null)
  await track.set({ phase: 'done' })
}

async function deployInSteps(ports: DeployPorts, { table }: Start, serving: string, track: Tracker): Promise<string> {
  const { cloudflare, print, smoke, notes, pause, throwIfInterrupted } = ports
  throwIfInterrupted()
  const version = await cloudflare.uploadVersion(await notes()).catch((error: unknown) => {
    throw error instanceof PendingMigrationError ? new PendingMigrationError(atOnceHint('')) : error
  })
  print(`Uploaded ${version}.`)
  await track.set({ version, phase: 'moving' })
  const mover = createMover(cloudflare, table, pause)
  const move = async (percentage: number): Promise<void> => {
    print(`${percentage} % of the traffic to ${version}.`)
    const rest: Share[] = percentage === 100 ? [] : [{ versionId: serving, percentage: 100 - percentage }]
    await mover.move([{ versionId: version, percentage }, ...rest], stepMessage(percentage, serving))
  }
  await undoOnFailure(ports, track.current, async () => {
    await move(0)
    await waitUntilReady(ports, version, version)
    await smoke(version, version)
    await move(firstPercentage)
    await watch(ports, version)
    await move(100)
    await watch(ports, version)
    await finish(ports, version, track)
  })
  return version
}

/**
 * The first deployment, or one with a Durable Object migration. Wrangler applies the triggers after the upload and names the
 * version after both, so each failure here can have moved all traffic and replaced the triggers.
 */
async function deployAtOnce(ports: DeployPorts, { serving, isFirst, migrationTag }: Start, track: Tracker) {
  const { cloudflare, config, print, smoke, notes, throwIfInterrupted } = ports
  const isReplacing = serving !== null && !isFirst
  const crosses = isReplacing && migrationTag !== null && migrationTag !== config.migrationTag
  throwIfInterrupted()
  const given = await notes()
  const noWayBack = crosses ? { before: null, noWayBack: 'migration' as const } : {}
  await track.set({ phase: 'moving', areTriggersNew: true, atOnce: { ...given, serving }, ...noWayBack })
  return await undoOnFailure(ports, track.current, async () => {
    const version = await cloudflare.deployAtOnce(given)
    await track.set({ version })
    print(`All traffic to ${version}.`)
    if (isReplacing && (await cloudflare.version(version)).migrationTag !== migrationTag)
      await track.set({ before: null, noWayBack: 'migration' })
    await waitUntilReady(ports, version, null, isFirst ? firstReadyWithinMs : undefined)
    await smoke(version, null)
    await watch(ports, version)
    await track.set({ phase: 'done' })
    return version
  })
}

async function deployLocked(ports: DeployPorts, options: DeployOptions): Promise<string> {
  const { config, print, preflight, pending, migrate, now, throwIfInterrupted } = ports
  await recover(ports)
  print('Preflight.')
  await preflight()
  const start = await findStart(ports, options)
  const found = await pending()
  refuseContractions(found, options.allowContract)
  const cronsBefore = start.isFirst ? null : await checkCrons(ports)
  const before = start.serving === null || start.isFirst ? null : [{ versionId: start.serving, percentage: 100 }]
  const track = tracker(ports, {
    format: 1,
    environment: config.environment,
    workerName: config.workerName,
    startedAt: now().toISOString(),
    before,
    ...(before === null ? { noWayBack: 'first' as const } : {}),
    cronsBefore: cronsBefore === null ? null : [...cronsBefore],
    crons: [...config.crons],
    version: null,
    phase: 'started',
  })
  await track.set({})
  print(`The traffic before: ${describeTraffic(before)}. Kept in ${ports.store.file}.`)
  if (found.migrations.length > 0) {
    print(`Migrations: ${found.migrations.map(({ name }) => name).join(', ')}.`)
    throwIfInterrupted()
    await migrate()
  }
  if (start.isFirst || start.serving === null || options.atOnce) return await deployAtOnce(ports, start, track)
  return await deployInSteps(ports, start, start.serving, track)
}

/**
 * Deploys what is in the working tree.
 * @returns the version that has all traffic
 * @throws Error that says what failed and what the traffic is now
 */
export async function deploy(ports: DeployPorts, options: DeployOptions): Promise<string> {
  const unlock = await ports.store.lock()
  try {
    return await deployLocked(ports, options)
  } finally {
    await unlock()
  }
}
