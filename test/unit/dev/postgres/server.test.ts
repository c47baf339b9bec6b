// The embedded server: which users may start it and where, what survives a restart, and what a killed run leaves
// behind.
import { spawn } from 'node:child_process'
import { access, chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { closedFolder } from '../../../../src/dev/lib/data-folder.ts'
import { commandLine } from '../../../../src/dev/lib/processes.ts'
import { projectFolder } from '../../../../src/dev/lib/project-folder.ts'
import { type Postgres, startPostgres } from '../../../../src/dev/postgres/server.ts'

const timeoutMs = 60_000
const lines: string[] = []
let base: string

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'wealthnavigator-edge-test-'))
  // The server may run as another user, who must be able to enter the folder.
  await chmod(base, 0o711)
})

beforeEach(() => {
  lines.length = 0
})

afterAll(() => rm(base, { recursive: true, force: true }))

const start = (dataDir: string, port = 0): Promise<Postgres> =>
  startPostgres({ dataDir, port, log: (line) => void lines.push(line) })

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/**
 * Starts a process that starts a server, writes a row, prints the server's process id and folder, and then kills
 * itself.
 */
async function killedRun(dataDir: string): Promise<{ pid: number; folder: string }> {
  const program = `
    import { startPostgres } from '${join(projectFolder, 'src/dev/postgres/server.ts')}'
    import { Client } from 'pg'
    const server = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, port: 0, log: () => undefined })
    const client = new Client(server.url)
    await client.connect()
    await client.query('CREATE TABLE kept AS SELECT 1 AS one')
    process.stdout.write(JSON.stringify({ pid: server.pid, folder: server.folder }), () => process.kill(process.pid, 'SIGKILL'))
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await new Promise((resolve) => child.once('close', resolve))
  return z.object({ pid: z.int(), folder: z.string() }).parse(JSON.parse(output))
}

describe('a data folder', { timeout: timeoutMs }, () => {
  it('keeps data and passwords over a restart, for its owner alone', async () => {
    const dataDir = join(base, 'kept')
    const first = await start(dataDir)
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
    await first.stop()
    const second = await start(dataDir)
    const rows = await query(second.url, "SELECT one, current_setting('fsync') AS fsync FROM kept")
    await second.stop()
    expect(rows).toEqual([{ one: 1, fsync: 'on' }])
    expect(new URL(second.url).password).toBe(new URL(first.url).password)
    expect((await stat(join(dataDir, 'credentials.json'))).mode & 0o777).toBe(0o600)
  })

  it('has one run at a time, and the refused one does the other no harm', async () => {
    const dataDir = join(base, 'shared')
    const first = await start(dataDir)
    await expect(start(dataDir)).rejects.toThrow(/in use by another run.*DATA_DIR/)
    expect(await query(first.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await first.stop()
  })

  it('is taken over from a killed run, whose server is stopped first and whose commits are there', async () => {
    const dataDir = join(base, 'killed')
    const { pid } = await killedRun(dataDir)
    expect(await commandLine(pid)).toContain(dataDir)
    const server = await start(dataDir)
    expect(await commandLine(pid)).toBeNull()
    expect(await query(server.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }])
    expect(lines.join()).toContain(`an earlier run left behind (${pid})`)
    await server.stop()
  })

  it('is created again when it is incomplete', async () => {
    const dataDir = join(base, 'half')
    await mkdir(join(dataDir, 'postgres.new', 'data', 'base'), { recursive: true })
    await chmod(dataDir, 0o711)
    const server = await start(dataDir)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await server.stop()
    await expect(access(join(dataDir, 'postgres.new'))).rejects.toThrow('ENOENT')
  })

  it('is refused, with the remedy, without its passwords or with another version', async () => {
    const dataDir = join(base, 'broken')
    await (await start(dataDir)).stop()
    await rm(join(dataDir, 'credentials.json'))
    await expect(start(dataDir)).rejects.toThrow(/passwords.*remove/)
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '13\n')
    await expect(start(dataDir)).rejects.toThrow(/made by PostgreSQL 13/)
  })

  it('leaves a process alone that its note names but that is no server', async () => {
    const dataDir = join(base, 'reused')
    await (await start(dataDir)).stop()
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    const note = join(dataDir, 'postgres', 'postmaster.pid')
    await writeFile(note, `${bystander.pid}\n${join(dataDir, 'postgres')}\n`)
    const server = await start(dataDir)
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
    await server.stop()
    bystander.kill()
  })
})

describe('a throwaway', { timeout: timeoutMs }, () => {
  it('goes with its run, and that of a killed run with the next one', async () => {
    const { pid, folder } = await killedRun(':memory:')
    const server = await start(':memory:')
    await expect(access(folder)).rejects.toThrow('ENOENT')
    expect(await commandLine(pid)).toBeNull()
    await server.stop()
    await expect(access(server.folder)).rejects.toThrow('ENOENT')
  })

  it('is left alone while its run is alive', async () => {
    const [first, second] = await Promise.all([start(':memory:'), start(':memory:')])
    const third = await start(':memory:')
    for (const { url } of [first, second, third]) expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await Promise.all([first.stop(), second.stop(), third.stop()])
  })
})

describe('the server', { timeout: timeoutMs }, () => {
  let server: Postgres
  beforeAll(async () => {
    server = await start(':memory:')
  }, timeoutMs)
  afterAll(() => server.stop())

  it('requires a password from every client', async () => {
    const { port } = server
    await expect(query(`postgres://postgres:guess@127.0.0.1:${port}/postgres`, 'SELECT 1')).rejects.toThrow('password')
    await expect(query(`postgres://postgres@127.0.0.1:${port}/postgres`, 'SELECT 1')).rejects.toThrow('password')
  })

  it('listens on loopback alone, and its owner is no superuser but may make roles', async () => {
    const rows = await query(
      server.url,
      `SELECT rolsuper, rolcreaterole, current_setting('listen_addresses') AS addresses,
              current_setting('unix_socket_directories') AS sockets FROM pg_roles WHERE rolname = current_user`,
    )
    expect(rows).toEqual([{ rolsuper: false, rolcreaterole: true, addresses: '127.0.0.1', sockets: '' }])
  })

  it('knows the letters of other alphabets', async () => {
    expect(await query(server.url, "SELECT lower('CAFÉ') AS text, 'ÄPFEL' ILIKE 'äpf%' AS same")).toEqual([
      { text: 'café', same: true },
    ])
  })

  it('says that its port is taken', async () => {
    await expect(start(':memory:', server.port)).rejects.toThrow('Address already in use')
  })
})

describe('a folder on the way that the server could not enter', () => {
  it('is found, by the bits that hold for that user', async () => {
    const closed = join(base, 'closed')
    await mkdir(join(closed, 'inner'), { recursive: true, mode: 0o755 })
    await chmod(closed, 0o700)
    const { uid, gid } = await stat(closed)
    const stranger = { uid: uid + 1, gid: gid + 1 }
    expect(await closedFolder(join(closed, 'inner', 'new'), stranger)).toBe(closed)
    expect(await closedFolder(join(closed, 'inner', 'new'), { uid, gid })).toBeNull()
    await chmod(closed, 0o710)
    expect(await closedFolder(join(closed, 'inner'), { uid: uid + 1, gid })).toBeNull()
    await chmod(closed, 0o701)
    expect(await closedFolder(join(closed, 'inner'), stranger)).toBeNull()
  })
})
