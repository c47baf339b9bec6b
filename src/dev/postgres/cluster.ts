// One PostgreSQL data folder: creates it completely or not at all, stores its two passwords, and stops the server that
// a killed run left on it. Never starts a server. The caller holds the folder's lock.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { ServerUser } from '../lib/data-folder.ts'
import { commandLine, endProcess } from '../lib/processes.ts'

const leftOverGraceMs = 10_000

const credentialsSchema = z.object({ superuser: z.string(), owner: z.string() })
export type Credentials = z.infer<typeof credentialsSchema>

export interface Cluster {
  /** PostgreSQL's data folder, inside `folder`. */
  data: string
  credentials: Credentials
}

export interface ClusterPlace {
  /** Folder with PostgreSQL's `bin/`. */
  home: string
  /** The stack's data folder. */
  folder: string
  user: ServerUser | null
  throwaway: boolean
}

/** The name of the data folder inside the stack's data folder. */
export const clusterName = 'postgres'

/** Null if there is no such file. A file that exists and cannot be read is an error. */
async function readIfPresent(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new Error(`${path} cannot be read: make it readable, or choose another DATA_DIR.`, { cause: error })
  })
}

async function readCredentials(path: string): Promise<Credentials | null> {
  const text = await readIfPresent(path)
  return text === null ? null : credentialsSchema.parse(JSON.parse(text))
}

async function writePrivate(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  await writeFile(path, text, { mode: 0o600, flag: 'wx' })
}

/** Runs a program as the server's user. Rejects with its output if it fails. */
async function runAs(user: ServerUser | null, program: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, ...user, stdio: ['ignore', 'pipe', 'pipe'], env: serverEnvironment() })
  let output = ''
  const collect = (chunk: Buffer) => (output += chunk.toString())
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`${program} failed (${code ?? 'killed'}): ${output.trim()}`)
}

/** Only the variables that PostgreSQL needs: PG* variables of the caller's shell would change its behaviour. */
export function serverEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' }
}

async function initialise(place: ClusterPlace, password: string): Promise<void> {
  const { folder, user } = place
  const unfinished = join(folder, `${clusterName}.new`)
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  const passwordFile = join(unfinished, 'password')
  const data = join(unfinished, 'data')
  await writePrivate(passwordFile, password)
  if (user !== null) for (const path of [unfinished, passwordFile]) await chown(path, user.uid, user.gid)
  const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8']
  // The collation of Neon's databases, so that lower() and ILIKE handle letters beyond ASCII.
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (place.throwaway) args.push('--no-sync')
  await runAs(user, join(place.home, 'bin', 'initdb'), args, folder)
  await rename(data, join(folder, clusterName))
  await rm(unfinished, { recursive: true, force: true })
}

/** The process id in `postmaster.pid`, or null without such a file. */
async function notedServer(data: string): Promise<number | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number(text.split('\n', 1)[0])
  return Number.isSafeInteger(pid) && pid > 1 ? pid : null
}

/**
 * Stops the server that a killed run left on `data`. Returns its process id, or null if there is none. Removes a
 * `postmaster.pid` whose process is another program now, because PostgreSQL would refuse to start.
 */
export async function stopLeftOverServer(data: string): Promise<number | null> {
  const pid = await notedServer(data)
  if (pid === null) return null
  const isOurs = (command: string) => command.includes('postgres') && command.includes(data)
  if (await endProcess(pid, isOurs, ['SIGINT', 'SIGQUIT', 'SIGKILL'], leftOverGraceMs)) return pid
  if ((await commandLine(pid)) !== null) await rm(join(data, 'postmaster.pid'), { force: true })
  return null
}

async function checkVersion(place: ClusterPlace, data: string, found: string): Promise<void> {
  const sample = await readFile(join(place.home, 'share', 'postgresql', 'postgres.bki'), 'utf8')
  const wanted = /^# PostgreSQL (\d+)/.exec(sample)?.[1]
  if (wanted === undefined || wanted === found.trim()) return
  throw new Error(
    `${data} was made by PostgreSQL ${found.trim()}, this is ${wanted}: remove ${place.folder} or choose another DATA_DIR.`,
  )
}

/**
 * Opens the data folder; creates it if it is missing. initdb runs under another name and the finished folder is
 * renamed, so an interrupted run never leaves an incomplete folder.
 */
export async function openCluster(place: ClusterPlace): Promise<Cluster> {
  const data = join(place.folder, clusterName)
  const passwords = join(place.folder, 'credentials.json')
  const version = await readIfPresent(join(data, 'PG_VERSION'))
  const known = await readCredentials(passwords)
  if (version !== null) {
    await checkVersion(place, data, version)
    if (known !== null) return { data, credentials: known }
    throw new Error(
      `${passwords} is gone and with it the database's passwords: remove ${place.folder} and start again.`,
    )
  }
  const credentials = known ?? { superuser: newPassword(), owner: newPassword() }
  await writePrivate(passwords, JSON.stringify(credentials))
  await initialise(place, credentials.superuser)
  return { data, credentials }
}

/** 192 random bits that need no escaping in a URL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}
