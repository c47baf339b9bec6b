// Notes the Worker's process group in its data folder, so that the next run can end the processes that a killed run
// left. Never signals a group without a process that looks like the Worker's.
import { execFile } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { commandLine, signalProcess, waitUntilGone } from './processes.ts'

const note = 'worker.pid'
const graceMs = 5_000
const looksLikeOurs = /wrangler|workerd/

const run = promisify(execFile)

/** Notes that process group `leader` belongs to the run that holds `folder`. */
export async function noteGroup(folder: string, leader: number): Promise<void> {
  await writeFile(join(folder, note), String(leader))
}

/** Removes the note, after the group has ended. */
export async function forgetGroup(folder: string): Promise<void> {
  await rm(join(folder, note), { force: true })
}

async function processTable(): Promise<{ pid: number; group: number }[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,pgid='])
    return stdout.split('\n').map((line) => {
      const [pid = NaN, group = NaN] = line.trim().split(/\s+/).map(Number)
      return { pid, group }
    })
  }
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    ids.map(async (id) => {
      // A process that ended since the listing has no file. The name in parentheses can contain spaces and parentheses.
      const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
      const [, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return { pid: Number(id), group: Number(group) }
    }),
  )
}

/** The command lines of the processes in a group. */
export async function groupCommands(leader: number): Promise<string[]> {
  const members = (await processTable()).filter(({ group }) => group === leader)
  const commands = await Promise.all(members.map(({ pid }) => commandLine(pid)))
  return commands.filter((command) => command !== null)
}

/**
 * Ends a process group: with SIGTERM first by default, then with SIGKILL after `GRACE_MS`. Resolves when no process of
 * it runs.
 */
export async function endGroup(
  leader: number,
  signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'],
): Promise<void> {
  const isGone = async () => (await groupCommands(leader)).length === 0
  for (const signal of signals) {
    if (!signalProcess(-leader, signal) || (await waitUntilGone(isGone, graceMs))) return
  }
  throw new Error(`The process group ${leader} did not end: end it by hand.`)
}

/** Ends the group that a killed run noted in `folder`. Returns its id, or null if there is none. */
export async function stopLeftOverGroup(folder: string): Promise<number | null> {
  const leader = Number(await readFile(join(folder, note), 'utf8').catch(() => ''))
  if (!Number.isSafeInteger(leader) || leader <= 1) return null
  const isOurs = (await groupCommands(leader)).some((command) => looksLikeOurs.test(command))
  if (isOurs) await endGroup(leader)
  await forgetGroup(folder)
  return isOurs ? leader : null
}
