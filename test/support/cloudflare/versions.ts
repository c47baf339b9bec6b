// What Cloudflare does with versions, deployments and secrets, and what it refuses.
import { randomUUID } from 'node:crypto'
import type { Account, Worker } from './account.ts'
import { WranglerError } from './arguments.ts'
import type { Declared } from './toml.ts'

const now = (): string => new Date().toISOString()
const apiError = (text: string, code: number): WranglerError =>
  new WranglerError(`A request to the Cloudflare API failed.\n\n  ${text} [code: ${code}]`)

export function workerOf(account: Account, name: string): Worker {
  const worker = account.workers[name]
  if (worker === undefined) throw apiError('This Worker does not exist on your account.', 10007)
  return worker
}

function refuseMissingSecrets(worker: Worker, { requiredSecrets }: Declared): void {
  const missing = requiredSecrets.filter((name) => !Object.hasOwn(worker.secrets, name))
  if (missing.length > 0)
    throw new WranglerError(`The following required secrets have not been set: ${missing.join(', ')}`)
}

interface Notes {
  readonly tag?: unknown
  readonly message?: unknown
}
const noted = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function addVersion(account: Account, worker: Worker, { tag, message }: Notes, handlers: string[]): string {
  const id = account.nextIds.shift() ?? randomUUID()
  worker.versions.push({
    id,
    created_on: now(),
    tag: noted(tag),
    message: noted(message),
    handlers,
    migration_tag: worker.migration_tag,
    secrets: { ...worker.secrets },
  })
  return id
}

const code = ['fetch', 'queue', 'scheduled']

export function uploadVersion(account: Account, declared: Declared, notes: Notes): string {
  const worker = workerOf(account, declared.workerName)
  const newest = declared.migrationTags.at(-1) ?? null
  if (newest !== worker.migration_tag)
    throw new WranglerError(
      'This Worker has a pending Durable Object migration, which cannot be applied by `wrangler versions upload`. Durable ' +
        'Object migrations must be applied with `wrangler deploy`.',
    )
  refuseMissingSecrets(worker, declared)
  return addVersion(account, worker, notes, code)
}

export function deployAtOnce(account: Account, declared: Declared, notes: Notes): string {
  const empty: Worker = { versions: [], deployments: [], secrets: {}, migration_tag: null, crons: [] }
  const worker = (account.workers[declared.workerName] ??= empty)
  refuseMissingSecrets(worker, declared)
  worker.migration_tag = declared.migrationTags.at(-1) ?? null
  const id = addVersion(account, worker, notes, code)
  worker.deployments.push({ created_on: now(), message: null, versions: [{ version_id: id, percentage: 100 }] })
  worker.crons = [...declared.crons]
  return id
}

function versionOf(worker: Worker, id: string) {
  const found = worker.versions.find((version) => version.id === id)
  if (found === undefined) throw apiError('The requested Worker version could not be found.', 10021)
  return found
}

/** The share of `id@10%`. */
function shareOf(spec: string): { id: string; percentage: number } {
  const [id = '', given] = spec.split('@')
  const percentage = Number.parseFloat(given ?? '')
  if (given === undefined || Number.isNaN(percentage))
    throw new WranglerError(`Could not parse percentage value from version-spec positional arg "${spec}".`)
  if (percentage < 0 || percentage > 100)
    throw new WranglerError(`Percentage value ${percentage}% is out of range. Percentages must be between 0 and 100.`)
  return { id, percentage }
}

function refuseChangedSecrets(worker: Worker, id: string): void {
  const { secrets } = versionOf(worker, id)
  const isDeployed = worker.deployments.at(-1)?.versions.some((share) => share.version_id === id) === true
  const changed = Object.keys({ ...secrets, ...worker.secrets }).filter(
    (name) => secrets[name] !== worker.secrets[name],
  )
  if (!isDeployed && changed.length > 0)
    throw apiError(`The following secrets have changed: ${changed.join(', ')}`, 10220)
}

function refuseMigration(worker: Worker, id: string): void {
  if (versionOf(worker, id).migration_tag !== worker.migration_tag)
    throw apiError('Version cannot be deployed: a Durable Object migration was applied since it was uploaded.', 10219)
}

export function deployVersions(account: Account, name: string, specs: readonly string[], message: unknown): void {
  const worker = workerOf(account, name)
  if (specs.length === 0) throw new WranglerError('You must select at least 1 version to deploy.')
  if (specs.length > 2)
    throw new WranglerError('Too many versions selected. You can deploy at most 2 version(s) at a time.')
  const shares = specs.map(shareOf)
  const total = shares.reduce((sum, { percentage }) => sum + percentage, 0)
  if (Math.abs(total - 100) > 1e-3)
    throw new WranglerError(`The specified traffic percentages add up to ${total}%, but must total exactly 100%.`)
  for (const { id } of shares) {
    refuseMigration(worker, id)
    refuseChangedSecrets(worker, id)
  }
  const versions = shares.map(({ id, percentage }) => ({ version_id: id, percentage }))
  worker.deployments.push({ created_on: now(), message: noted(message), versions })
}

/** Accepts other secrets, as wrangler does without a terminal. */
export function rollBack(account: Account, name: string, id: string | undefined, message: unknown): void {
  const worker = workerOf(account, name)
  if (id === undefined) throw new WranglerError('Could not find stable Worker Version to rollback to.')
  refuseMigration(worker, id)
  worker.secrets = { ...versionOf(worker, id).secrets }
  const versions = [{ version_id: id, percentage: 100 }]
  worker.deployments.push({ created_on: now(), message: noted(message), versions })
}

/** Each change of secrets is a new version that gets all traffic. */
export function putSecrets(account: Account, name: string, secrets: Readonly<Record<string, string>>): void {
  const draft: Worker = { versions: [], deployments: [], secrets: {}, migration_tag: null, crons: [] }
  const worker = (account.workers[name] ??= draft)
  const last = worker.versions.at(-1)
  const deployed = worker.deployments.at(-1)?.versions ?? []
  if (last !== undefined && !deployed.some((share) => share.version_id === last.id))
    throw apiError("The latest version of your Worker isn't currently deployed.", 10215)
  Object.assign(worker.secrets, secrets)
  const id = addVersion(account, worker, {}, last?.handlers ?? ['fetch'])
  worker.deployments.push({ created_on: now(), message: null, versions: [{ version_id: id, percentage: 100 }] })
}
