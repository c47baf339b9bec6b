// The simulator and the local Neon endpoint as packages: each starts alone from its bin, serves and stops on a signal.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { projectFolder } from '../../../src/dev/lib/project-folder.ts'
import { type Postgres, startPostgres } from '../../../src/dev/postgres/server.ts'

const undo: (() => unknown)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step()
})

interface Program {
  readonly child: ChildProcess
  readonly output: { out: string; err: string }
  readonly code: Promise<unknown>
}

function start(name: string, args: readonly string[], environment: Record<string, string> = {}): Program {
  const bin = join(projectFolder, 'src', 'dev', name, 'bin.ts')
  // In a separate folder and with a minimal environment: the package needs nothing of the project.
  const options = { cwd: tmpdir(), env: { PATH: process.env['PATH'], ...environment } }
  const child = spawn(process.execPath, [bin, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text))
  const code = once(child, 'close').then(([exitCode]: unknown[]) => exitCode)
  undo.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await code
  })
  return { child, output, code }
}

/** The URL in the program's first line of output. */
async function urlOf({ child, output, code }: Program): Promise<string> {
  const ended = code.then(() => true)
  for (;;) {
    const url = /listens on (\S+?)[.,] /.exec(output.out)?.[1]
    if (url !== undefined) return url
    const data = child.stdout === null ? Promise.resolve() : once(child.stdout, 'data')
    if ((await Promise.race([ended, data])) === true) throw new Error(`ended: ${output.err}`)
  }
}

async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers })
  return response.json()
}

async function startDatabase(): Promise<Postgres> {
  const postgres = await startPostgres({ dataDir: ':memory:', port: 0, log: () => undefined })
  undo.push(() => postgres.stop())
  return postgres
}

const credentials = { client_id: 'simulator', secret: 'simulator' }
const newItem = { ...credentials, institution_id: 'ins_109508', initial_products: ['transactions'] }

describe('plaid-simulator', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)("serves Plaid's API and ends with exit code 0 on %s", async (signal) => {
    const program = start('plaid-simulator', ['--port', '0'])
    const url = await urlOf(program)
    expect(new URL(url).hostname).toBe('127.0.0.1')
    const made = await post(`${url}/sandbox/public_token/create`, newItem)
    expect(made).toMatchObject({ public_token: expect.stringMatching(/^public-sandbox-/) })
    program.child.kill(signal)
    expect(await program.code).toBe(0)
    expect(program.output.err).toBe('')
  })

  it('continues from its journal', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-journal-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const args = ['--port', '0', '--journal', join(folder, 'journal.jsonl'), '--seed', 'a-seed']
    const first = start('plaid-simulator', args)
    const made = await post(`${await urlOf(first)}/sandbox/public_token/create`, newItem)
    const { public_token } = z.object({ public_token: z.string() }).parse(made)
    first.child.kill('SIGTERM')
    await first.code
    const url = await urlOf(start('plaid-simulator', args))
    const exchanged = await post(`${url}/item/public_token/exchange`, { ...credentials, public_token })
    expect(exchanged).toMatchObject({ access_token: expect.stringMatching(/^access-sandbox-/) })
  })

  it.each([
    [['--port', '70000'], 2, '--port takes a whole number up to 65535, not "70000".\nTry --help.\n'],
    [['--history-delay', '50'], 2, '--history-delay takes two numbers or "manual".\nTry --help.\n'],
    [['--category-version', 'v3'], 2, '--category-version takes v1 or v2, not "v3".\nTry --help.\n'],
    [['--nonsense'], 2, "Unknown option '--nonsense'"],
    [['--host', '192.0.2.1', '--port', '0'], 1, 'This machine does not have the address of --host.\n'],
  ])('refuses %j with exit code %i and a sentence', async (args, code, message) => {
    const program = start('plaid-simulator', args)
    expect(await program.code).toBe(code)
    expect(program.output.err).toContain(message)
  })
})

describe('neon-local', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('runs SQL and ends with exit code 0 on %s', async (signal) => {
    const { url: postgresUrl } = await startDatabase()
    const program = start('neon-local', ['--port', '0'], { NEON_LOCAL_POSTGRES: postgresUrl })
    const url = await urlOf(program)
    expect(new URL(url).hostname).toBe('127.0.0.1')
    const result = await post(url, { query: 'SELECT 1 AS one' }, { 'neon-connection-string': postgresUrl })
    expect(result).toMatchObject({ rows: [{ one: 1 }] })
    program.child.kill(signal)
    expect(await program.code).toBe(0)
    expect(program.output.err).toBe('')
    expect(program.output.out).not.toContain(new URL(postgresUrl).password)
  })

  it('says that PostgreSQL cannot be reached, without the password', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    undo.push(() => server.close())
    const port = z.object({ port: z.number() }).parse(server.address()).port
    const program = start('neon-local', ['--postgres', `postgres://user:secret@127.0.0.1:${port}/db`, '--port', '0'])
    expect(await program.code).toBe(1)
    expect(program.output.err).toContain(`PostgreSQL at 127.0.0.1:${port} cannot be reached`)
    expect(program.output.err).not.toContain('secret')
  })

  it.each([
    [[], '--postgres is missing.\nTry --help.\n'],
    [['--postgres', 'mysql://a:secret@b/c'], '--postgres takes postgres://USER:PASSWORD@HOST:PORT/DATABASE.'],
    [['--postgres', 'postgres://a:b@c/d', '--max-connections', '0'], '--max-connections takes a whole number from 1'],
  ])('refuses %j with exit code 2 and a sentence', async (args, message) => {
    const program = start('neon-local', args)
    expect(await program.code).toBe(2)
    expect(program.output.err).toContain(message)
    expect(program.output.err).not.toContain('secret')
  })
})

describe.each(['plaid-simulator', 'neon-local'])('the package %s', (name) => {
  const manifestSchema = z.object({
    name: z.string(),
    private: z.literal(true),
    license: z.literal('MIT'),
    bin: z.record(z.string(), z.string()),
    dependencies: z.record(z.string(), z.string()),
  })
  const rootSchema = z.object({
    workspaces: z.array(z.string()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })

  it('is a workspace that pins the versions of the root', async () => {
    const read = async (path: string): Promise<unknown> =>
      JSON.parse(await readFile(join(projectFolder, path, 'package.json'), 'utf8'))
    const root = rootSchema.parse(await read('.'))
    const manifest = manifestSchema.parse(await read(`src/dev/${name}`))
    expect(root.workspaces).toContain(`src/dev/${name}`)
    expect(manifest).toMatchObject({ name, bin: { [name]: 'bin.ts' } })
    expect({ ...root.dependencies, ...root.devDependencies }).toMatchObject(manifest.dependencies)
  })

  it('explains its options with --help', async () => {
    const program = start(name, ['--help'])
    expect(await program.code).toBe(0)
    expect(program.output.out).toContain(`npx ${name}`)
    expect(program.output.out).toContain('--port NUMBER')
  })
})
