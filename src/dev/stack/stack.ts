// The whole local stack: database, Neon endpoint, Plaid simulator, Worker and crons, started in this order and stopped
// in reverse. Leaves nothing running if a start fails or is interrupted.
import { join } from 'node:path'
import { currentConsole } from '../lib/console-build.ts'
import { readLocalVariables, usesOidc, type Variables } from '../lib/local-variables.ts'
import { freePort, readPorts } from '../lib/ports.ts'
import { projectFolder } from '../lib/project-folder.ts'
import { createReasons, whenReady } from '../lib/readiness.ts'
import { signToken } from '../lib/sign-token.ts'
import { startSimulator } from '../plaid-simulator/server.ts'
import { type HeldFolder, holdFolder } from '../postgres/held-folder.ts'
import { backupRecipient } from './backup-key.ts'
import { cronSchedules, fireCron, startCrons } from './crons.ts'
import { type LocalDatabase, startLocalDatabase } from './local-database.ts'
import type { Part, StackOptions, Start } from './starting.ts'
import { startWorker, type Worker, type WorkerOptions } from './worker.ts'

const tokenTtlSeconds = 12 * 60 * 60

/** The content of the READY line. */
export interface Ready {
  api: string
  plaid: string
  /** The Neon endpoint. */
  sql: string
  /** The owner's URL. */
  database: string
  /** Absent with an OIDC issuer: the Worker would refuse a token of this stack. */
  token?: string
  admin_token?: string
}

export interface LocalStack {
  ready: Ready
  worker: WorkerControl
  stop(): Promise<void>
}

/** Kills and restarts the Worker, for tests of what survives a crash. */
export interface WorkerControl {
  /** SIGKILL to all of its processes; the rest of the stack keeps running. */
  kill(): Promise<void>
  /** Starts it again at the same address, with the same state, and sweeps as at any start. Only after `kill`. */
  restart(): Promise<void>
}

/** Settings that wrangler.toml's top level leaves out, so that it cannot be deployed by accident. */
const localDefaults: Variables = {
  ENVIRONMENT: 'development',
  PLAID_ENV: 'sandbox',
  PLAID_PRODUCTS: 'transactions,investments,liabilities',
  PLAID_COUNTRY_CODES: 'US',
  ENCRYPTION_KEY_ID: 'k1',
}

/** "Continue as demo user", for the user of the READY line's token. The variable is refused outside development. */
const demoUser = 'demo'
/** The same for the administrator of the READY line's other token. */
const demoOperator = 'admin'

const consoleVariables = (plaidUrl: string): Variables => ({
  CONSOLE_BANK_URL: `${plaidUrl}/panel`,
  CONSOLE_DEMO_USER: demoUser,
  CONSOLE_DEMO_OPERATOR: demoOperator,
})

interface Known {
  plaidUrl: string
  api: string
  /** The public key of this stack's backups. */
  recipient: string
  hasConsole: boolean
}

/** The Worker's variables, in this order: chosen, known by this stack, from the examples, default. */
function workerVariables(
  { chosen, examples }: { chosen: Variables; examples: Variables },
  { sqlUrl, logins }: LocalDatabase,
  { plaidUrl, api, recipient, hasConsole }: Known,
): Variables {
  const ownDatabase = chosen['DATABASE_URL'] === undefined
  const computed = {
    DATABASE_URL: logins.apiUrl,
    DATABASE_JOBS_URL: logins.jobsUrl,
    DATABASE_IDENTITY_URL: logins.identityUrl,
    DATABASE_BACKUP_URL: logins.backupUrl,
    // The developer's database has a separate endpoint.
    ...(ownDatabase ? { DATABASE_ENDPOINT: sqlUrl } : {}),
    BACKUP_RECIPIENT: recipient,
    PLAID_BASE_URL: plaidUrl,
    PLAID_WEBHOOK_URL: `${api}/api/v1/plaid/webhook`,
    ...(hasConsole ? consoleVariables(plaidUrl) : {}),
  }
  return { ...localDefaults, ...examples, ...computed, ...chosen }
}

async function startParts(start: Start, held: HeldFolder): Promise<Omit<LocalStack, 'stop'>> {
  const local = start.variables ?? (await readLocalVariables(projectFolder, start.environment))
  const given = { ...local.examples, ...local.chosen }
  const secret = given['SECRET_KEY']
  if (!secret) throw new Error('SECRET_KEY is not set: copy .dev.vars.example to .dev.vars, or set it there.')

  const database = await startLocalDatabase(start, held)
  start.signal.throwIfAborted()
  const simulator = await startSimulator({
    port: start.ports.PLAID_PORT,
    clientId: given['PLAID_CLIENT_ID'] ?? '',
    secret: given['PLAID_SECRET'] ?? '',
    // The bank is kept for as long as the database.
    journalFile: held.throwaway ? null : join(held.folder, 'plaid-simulator.jsonl'),
    log: (line) => start.print('plaid', line),
  })
  start.undo('plaid', simulator)
  start.print('plaid', `simulator ready on ${simulator.url}`)
  start.signal.throwIfAborted()

  const port = start.ports.PORT || (await freePort())
  const api = `http://127.0.0.1:${port}`
  const reasons = createReasons()
  const recipient = await backupRecipient(held.folder)
  const { console: hasConsole = false } = start
  const variables = workerVariables(local, database, { plaidUrl: simulator.url, api, recipient, hasConsole })
  const assets = hasConsole ? await currentConsole((line) => start.print('console', line)) : undefined
  const options: WorkerOptions = {
    projectFolder,
    folder: held.folder,
    port,
    variables,
    onLine: (line, level) => {
      reasons.note(line)
      start.print('worker', line, level)
    },
    onExit: start.onFailure,
    signal: start.signal,
    ...(assets === undefined ? {} : { assets }),
    ...(start.bundle === undefined ? {} : { bundle: start.bundle }),
  }
  const launch = async (): Promise<Worker> => {
    const launched = await startWorker(options)
    start.print('worker', `healthy on ${launched.url}`)
    return launched
  }
  let worker = await launch()
  start.undo('worker', { stop: () => worker.stop() })

  await whenReady(api, reasons, start.signal)
  await sweepOnce(start, api)
  startCronsOf(start, api)
  const ready = {
    api,
    plaid: simulator.url,
    sql: database.sqlUrl,
    database: database.ownerUrl,
    ...(usesOidc(variables) ? {} : await localTokens(secret)),
  }
  const restart = async () => {
    worker = await launch()
    await whenReady(api, reasons, start.signal)
    await sweepOnce(start, api)
  }
  return { ready, worker: { kill: () => worker.kill(), restart } }
}

async function localTokens(secret: string): Promise<Pick<Ready, 'token' | 'admin_token'>> {
  const common = { secret, ttlSeconds: tokenTtlSeconds }
  return {
    token: await signToken({ ...common, subject: demoUser }),
    admin_token: await signToken({ ...common, subject: demoOperator, role: 'admin' }),
  }
}

function reportCron(start: Start, name: string, error: unknown): void {
  start.print('crons', `${name}: ${error instanceof Error ? error.message : 'failed'}`, 'error')
}

/** Runs one sweep immediately, so that work of a killed run continues without waiting for the cron. */
async function sweepOnce(start: Start, api: string): Promise<void> {
  await fireCron(api, cronSchedules.sweep, start.signal).catch((error: unknown) => {
    start.signal.throwIfAborted()
    reportCron(start, 'sweep', error)
  })
}

function startCronsOf(start: Start, api: string): void {
  start.undo(
    'crons',
    startCrons(api, (name, error) => reportCron(start, name, error)),
  )
  start.print('crons', 'audit chain and sweep every minute, sync every hour')
}

/**
 * Starts everything. Resolves when the Worker's /ready is 200 and its first sweep has ended; a failed sweep is an error
 * line. Rejects if a part fails or `signal` is aborted, after all started parts are stopped. `stop` stops all parts in
 * order, once.
 */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const undoing: { name: string; part: Part }[] = []
  const stopAll = async () => {
    for (let step = undoing.pop(); step !== undefined; step = undoing.pop()) {
      const { name, part } = step
      // A part that fails to stop must not keep the others running.
      await part.stop().then(
        () => options.print(name, 'stopped'),
        (error: unknown) => options.print(name, `did not stop: ${String(error)}`, 'error'),
      )
    }
  }
  const undo = (name: string, part: Part) => void undoing.push({ name, part })
  try {
    const log = (message: string) => options.print('stack', message, 'warn')
    const held = await holdFolder(options.environment['DATA_DIR'] || undefined, projectFolder, log)
    undo('stack', { stop: () => held.release() })
    const ports = await readPorts(options.environment)
    options.signal.throwIfAborted()
    const parts = await startParts({ ...options, ports, undo }, held)
    let stopped: Promise<void> | undefined
    return { ...parts, stop: () => (stopped ??= stopAll()) }
  } catch (error) {
    await stopAll()
    throw error
  }
}
