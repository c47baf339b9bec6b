// What a deployment keeps in a file, so that it can be undone after this process: the traffic table and the crons from
// before, and how far it came. One deployment of an environment at a time: the lock is a file that only one can create.
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { nullIfMissing } from '../../dev/lib/missing.ts'
import { projectFolder } from '../../dev/lib/project-folder.ts'

const share = z.strictObject({ versionId: z.string().min(1), percentage: z.number().min(0).max(100) })
const table = z
  .array(share)
  .refine((shares) => Math.abs(shares.reduce((sum, one) => sum + one.percentage, 0) - 100) < 0.01)

const stateSchema = z.strictObject({
  format: z.literal(1),
  environment: z.string(),
  workerName: z.string(),
  startedAt: z.iso.datetime(),
  /** The traffic table from before; null where there is no way back. */
  before: table.nullable(),
  /** Why there is no way back: no version served before, or Cloudflare does not go back over a Durable Object migration. */
  noWayBack: z.enum(['first', 'migration']).optional(),
  /** The crons from before; null if they are unknown. */
  cronsBefore: z.array(z.string()).nullable(),
  /** The crons of this deployment. */
  crons: z.array(z.string()),
  /** The version of this deployment, once it is uploaded. */
  version: z.string().nullable(),
  /**
   * For a deployment at once: how to recognize its version where wrangler failed before it named one. `serving` is the
   * version that had the traffic.
   */
  atOnce: z.strictObject({ tag: z.string(), message: z.string(), serving: z.string().nullable() }).optional(),
  /** Whether the triggers may be those of this deployment. */
  areTriggersNew: z.boolean().optional(),
  /** `moving`: traffic may have moved. `proven`: the version has all traffic and was judged; its triggers may be missing. */
  phase: z.enum(['started', 'moving', 'proven', 'done', 'rolled_back']),
})

export type DeployState = z.infer<typeof stateSchema>

export type Loaded =
  | { readonly kind: 'none' }
  | { readonly kind: 'damaged'; readonly file: string }
  | { readonly kind: 'found'; readonly state: DeployState }

export interface StateStore {
  readonly file: string
  load: () => Promise<Loaded>
  save: (state: DeployState) => Promise<void>
  /** Keeps a file that cannot be read under another name. */
  setAside: () => Promise<string>
  /** Returns how to end the lock. @throws Error if another deployment runs */
  lock: () => Promise<() => Promise<void>>
}

const lockSchema = z.object({ pid: z.number().int(), host: z.string() })

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The process that holds a lock which was left behind; null if it can be taken over. */
async function holderOf(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(nullIfMissing)
  if (text === null) return null
  const holder = lockSchema.safeParse(parsed(text)).data
  if (holder === undefined) return `a process that ${file} does not name`
  if (holder.host !== hostname()) return `a process on ${holder.host}`
  return isRunning(holder.pid) ? `process ${holder.pid}` : null
}

async function takeLock(file: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      const handle = await open(file, 'wx', 0o600)
      await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() }))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = await holderOf(file)
    if (holder !== null)
      throw new Error(`Another deployment runs: ${holder} holds ${file}. If that ended long ago, delete the file.`)
    await rm(file, { force: true })
  }
  throw new Error(`Another deployment took ${file} at the same moment: wait for it.`)
}

/** The files of one environment, in a folder that git ignores. */
export function stateStore(environment: string, folder = join(projectFolder, '.deployments')): StateStore {
  const file = join(folder, `${environment}.json`)
  return {
    file,
    load: async () => {
      const text = await readFile(file, 'utf8').catch(nullIfMissing)
      if (text === null) return { kind: 'none' }
      const state = stateSchema.safeParse(parsed(text)).data
      return state?.environment === environment ? { kind: 'found', state } : { kind: 'damaged', file }
    },
    save: async (state) => {
      await mkdir(folder, { recursive: true })
      const whole = `${file}.${process.pid}.new`
      await writeFile(whole, `${JSON.stringify(stateSchema.parse(state), null, 2)}\n`, { mode: 0o600, flush: true })
      await rename(whole, file)
    },
    setAside: async () => {
      const aside = `${file}.damaged`
      await rename(file, aside)
      return aside
    },
    lock: async () => {
      await mkdir(folder, { recursive: true })
      return await takeLock(join(folder, `${environment}.lock`))
    },
  }
}
