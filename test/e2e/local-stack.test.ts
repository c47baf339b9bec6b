// `npm run dev`: one line when it is ready, one signal to end it, and nothing left behind.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, chmod, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { groupCommands } from '../../src/dev/lib/left-over-group.ts'
import { commandLine, signalProcess } from '../../src/dev/lib/processes.ts'
import { projectFolder } from '../../src/dev/lib/project-folder.ts'
import { runsLongProofs } from '../support/sampled.ts'

const readySchema = z.strictObject({
  api: z.url(),
  plaid: z.url(),
  sql: z.url(),
  database: z.url(),
  token: z.string().optional(),
  admin_token: z.string().optional(),
})

interface Run {
  child: ChildProcess
  output: () => string
  /** Resolves with the READY line's object; rejects when the run ends before it. */
  ready: Promise<z.infer<typeof readySchema>>
  /** Resolves with the exit code and the signal. */
  ended: Promise<[number | null, string | null]>
}

const runs: Run[] = []
let folder: string

async function makeFolder(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
  await chmod(folder, 0o711)
}

async function endRuns(): Promise<void> {
  for (const { child, ended } of runs.splice(0)) {
    child.kill('SIGTERM')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
}

function start(environment: Record<string, string> = {}): Run {
  const ports = { PORT: '0', PLAID_PORT: '0', SQL_PORT: '0', PG_PORT: '0' }
  const env = { ...process.env, ...ports, DATA_DIR: folder, NODE_ENV: '', ...environment }
  const child = spawn(process.execPath, ['src/dev/stack/start.ts'], {
    cwd: projectFolder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  )
  const ready = new Promise<z.infer<typeof readySchema>>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const line = /^READY (.*)$/m.exec(output)?.[1]
      if (line !== undefined) resolve(readySchema.parse(JSON.parse(line)))
    })
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    void ended.then(() => reject(new Error(`ended before it was ready: ${output}`)))
  })
  // A test that does not wait for it must not fail through it.
  ready.catch(() => undefined)
  const run = { child, output: () => output, ready, ended }
  runs.push(run)
  return run
}

async function workerGroup(): Promise<number> {
  return Number(await readFile(join(folder, 'worker.pid'), 'utf8'))
}

async function databaseServer(): Promise<number> {
  const note = await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8')
  return Number(note.split('\n', 1)[0])
}

const timeout = 180_000

describe('the local stack, once it is ready', { timeout }, () => {
  let run: Run
  beforeAll(async () => {
    await makeFolder()
    run = start({
      RATE_LIMIT_ENABLED: 'false',
      SECRET_KEY: 'secret-key-that-nobody-else-may-see-anywhere',
      SENTRY_DSN: '',
    })
    await run.ready
  }, timeout)
  afterAll(endRuns, timeout)

  it('serves at the addresses that it printed, with the token that it printed', async () => {
    const { api, plaid, sql, token } = await run.ready
    const items = await fetch(`${api}/api/v1/plaid/items`, { headers: { authorization: `Bearer ${token}` } })
    expect([items.status, await items.json()]).toEqual([200, { data: [], next_cursor: null }])
    expect((await fetch(`${plaid}/simulator/truth`)).status).toBe(200)
    expect((await fetch(sql, { method: 'POST', body: '{}' })).status).toBe(400)
  })

  it('shows its secrets in no command line and in no file that others may read', async () => {
    const commands = await groupCommands(await workerGroup())
    expect(commands.length).toBeGreaterThan(0)
    expect(commands.join()).not.toContain('secret-key-that')
    expect(run.output()).not.toContain('secret-key-that')
    const variables = join(folder, 'worker', 'variables.env')
    expect((await stat(variables)).mode & 0o777).toBe(0o600)
    expect(await readFile(variables, 'utf8')).toContain("SENTRY_DSN=''")
  })

  it('refuses a second run on the same data and keeps serving', async () => {
    const { api } = await run.ready
    const second = start()
    expect(await second.ended).toEqual([1, null])
    expect(second.output()).toContain('in use by another run')
    expect((await fetch(`${api}/health`)).status).toBe(200)
  })

  it('ends all of its processes on SIGTERM, with code 0', async () => {
    const [group, server] = [await workerGroup(), await databaseServer()]
    run.child.kill('SIGTERM')
    expect(await run.ended).toEqual([0, null])
    expect([await groupCommands(group), await commandLine(server)]).toEqual([[], null])
  })
})

describe('the local stack, killed without a signal that it sees', { timeout }, () => {
  let next: Run
  beforeAll(makeFolder)
  afterAll(endRuns, timeout)

  it('is cleared away by the next start', async () => {
    const killed = start()
    await killed.ready
    const [group, server] = [await workerGroup(), await databaseServer()]
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(await groupCommands(group)).not.toEqual([])
    next = start()
    await next.ready
    expect([await groupCommands(group), await commandLine(server)]).toEqual([[], null])
  })

  it('ends with code 1 and names the part, when a part dies', async () => {
    const server = await databaseServer()
    signalProcess(-(await workerGroup()), 'SIGKILL')
    expect(await next.ended).toEqual([1, null])
    expect(next.output()).toContain('wrangler dev ended unexpectedly')
    expect(await commandLine(server)).toBeNull()
  })
})

describe('the local stack', { timeout }, () => {
  beforeEach(makeFolder)
  afterEach(endRuns)

  it.runIf(runsLongProofs())('exits with code 0 when it is stopped during its start', async () => {
    const run = start()
    await expect.poll(run.output, { timeout: 60_000 }).toContain('ready on port')
    run.child.kill('SIGINT')
    expect(await run.ended).toEqual([0, null])
    await expect(databaseServer()).rejects.toThrow('ENOENT')
  })

  it('starts nothing when a port is taken', async () => {
    const run = start({ PORT: '80a' })
    expect(await run.ended).toEqual([1, null])
    expect(run.output()).toContain('PORT=80a is no port')
    expect((await readdir(folder)).filter((name) => name !== 'lock' && name !== 'lock-journal')).toEqual([])
  })

  it('names the variable that the Worker refuses, and ends with code 1 and without READY', async () => {
    const run = start({ RATE_LIMITS: '{"global_hour":100000}' })
    expect(await run.ended).toEqual([1, null])
    expect(run.output()).toMatch(
      /^The Worker is not ready\. .* 500 misconfigured: RATE_LIMITS .*: global_hour must be/m,
    )
    expect(run.output()).not.toContain('READY {')
    await expect(databaseServer()).rejects.toThrow('ENOENT')
  })

  it.runIf(runsLongProofs())('prints no tokens that an OIDC issuer did not make', async () => {
    const { api, ...ready } = await start({
      AUTH_ISSUER: 'http://127.0.0.1:9',
      AUTH_AUDIENCE: 'api',
      AUTH_JWKS_URL: 'http://127.0.0.1:9/jwks',
    }).ready
    expect(ready).not.toHaveProperty('token')
    expect(ready).not.toHaveProperty('admin_token')
    expect((await fetch(`${api}/ready`)).status).toBe(200)
  })
})
